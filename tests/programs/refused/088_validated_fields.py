"""Validate records with descriptors that know their attribute's name."""


class Field:
    def __init__(self, *, required=True):
        self.required = required

    def __set_name__(self, owner, name):
        self._name = name
        self._slot = f"_{name}"

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return getattr(instance, self._slot, None)

    def __set__(self, instance, value):
        if value is None:
            if self.required:
                raise ValueError(f"{self._name} is required")
        else:
            value = self.check(value)
        setattr(instance, self._slot, value)

    def check(self, value):
        return value


class Text(Field):
    def __init__(self, *, max_length=None, **kwargs):
        super().__init__(**kwargs)
        self._max_length = max_length

    def check(self, value):
        value = str(value).strip()
        if self._max_length and len(value) > self._max_length:
            raise ValueError(f"{self._name} has {len(value)} characters, at most {self._max_length}")
        return value


class Number(Field):
    def __init__(self, low, high, **kwargs):
        super().__init__(**kwargs)
        self._range = low, high

    def check(self, value):
        low, high = self._range
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise TypeError(f"{self._name} must be a number, not {type(value).__name__}")
        if not low <= value <= high:
            raise ValueError(f"{self._name} must be between {low} and {high}")
        return value


class Product:
    name = Text(max_length=12)
    price = Number(0, 1000)
    stock = Number(0, 50, required=False)

    def __init__(self, name=None, price=None, stock=None):
        self.name = name
        self.price = price
        self.stock = stock


def run(inputs):
    good, bad = [], []
    for raw in inputs["products"]:
        try:
            product = Product(**raw)
        except (TypeError, ValueError) as exc:
            bad.append(str(exc))
        else:
            good.append(product)
    good[0].price += 10
    return {"good": [[p.name, p.price, p.stock] for p in good], "bad": bad, "field": type(Product.price).__name__}

# inputs: {"products": [{"name": " Kettle ", "price": 30, "stock": 5}, {"name": "A very long name indeed", "price": 1}, {"price": 3}, {"name": "Pan", "price": "cheap"}, {"name": "Lid", "price": true}, {"name": "Pot", "price": 99.5}, {"name": "Cup", "price": -1}]}
# expect: {"good": [["Kettle", 40, 5], ["Pot", 99.5, null]], "bad": ["name has 23 characters, at most 12", "name is required", "price must be a number, not str", "price must be a number, not bool", "price must be between 0 and 1000"], "field": "Number"}
