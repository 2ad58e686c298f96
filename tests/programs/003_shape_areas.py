"""Compute areas and perimeters of shapes described by dicts, through an abstract base class."""

import math
from abc import ABC, abstractmethod


class Shape(ABC):
    @abstractmethod
    def area(self) -> float:
        """Area in square units."""

    @abstractmethod
    def perimeter(self) -> float:
        ...

    def describe(self) -> str:
        return f"{type(self).__name__}: area={self.area():.2f}, perimeter={self.perimeter():.2f}"

    @classmethod
    def from_dict(cls, data: dict) -> "Shape":
        kinds = {"circle": Circle, "rectangle": Rectangle, "square": Square}
        kind = data["kind"]
        params = {k: v for k, v in data.items() if k != "kind"}
        return kinds[kind](**params)


class Circle(Shape):
    def __init__(self, radius: float):
        self.radius = radius

    def area(self) -> float:
        return math.pi * self.radius ** 2

    def perimeter(self) -> float:
        return 2 * math.pi * self.radius


class Rectangle(Shape):
    def __init__(self, width: float, height: float):
        self.width, self.height = width, height

    def area(self) -> float:
        return self.width * self.height

    def perimeter(self) -> float:
        return 2 * (self.width + self.height)


class Square(Rectangle):
    def __init__(self, side: float):
        super().__init__(side, side)


def run(inputs):
    shapes = [Shape.from_dict(item) for item in inputs["shapes"]]
    try:
        Shape()
        abstract = "created"
    except TypeError:
        abstract = "refused"
    largest = max(shapes, key=lambda s: s.area())
    return {
        "shapes": [s.describe() for s in shapes],
        "total_area": round(sum(s.area() for s in shapes), 3),
        "largest": type(largest).__name__,
        "abstract": abstract,
        "squares_are_rectangles": all(isinstance(s, Rectangle) for s in shapes if isinstance(s, Square)),
    }

# inputs: {"shapes": [{"kind": "circle", "radius": 2}, {"kind": "rectangle", "width": 3, "height": 4.5}, {"kind": "square", "side": 3}]}
# expect: {"shapes": ["Circle: area=12.57, perimeter=12.57", "Rectangle: area=13.50, perimeter=15.00", "Square: area=9.00, perimeter=12.00"], "total_area": 35.066, "largest": "Rectangle", "abstract": "refused", "squares_are_rectangles": true}
