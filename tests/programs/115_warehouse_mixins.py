"""Products composed from mixins with cooperative super() calls and class-level counters."""


class Auditable:
    def __init__(self, *args, **kwargs):
        self.__events = []
        super().__init__(*args, **kwargs)
        self.record("created")

    def record(self, event):
        self.__events.append(event)

    events = property(lambda self: tuple(self.__events))


class Perishable:
    def __init__(self, *args, days_left, **kwargs):
        self.days_left = days_left
        super().__init__(*args, **kwargs)

    def price(self):
        full = super().price()
        return round(full / 2, 2) if self.days_left < 3 else full

    def to_dict(self):
        return {**super().to_dict(), "days_left": self.days_left}


class Taxed:
    tax_rate = 0.2

    def price(self):
        return round(super().price() * (1 + self.tax_rate), 2)


class Product:
    __count = 0

    def __init__(self, name, base):
        Product.__count += 1
        self.name, self.base, self.number = name, base, Product.__count

    def price(self):
        return self.base

    def to_dict(self):
        return {"kind": self.__class__.__name__.lower(), "name": self.name, "price": self.price()}

    @classmethod
    def made(cls):
        return cls.__count

    def __lt__(self, other):
        return self.price() < other.price()

    def __format__(self, spec):
        return format(f"{self.name}@{self.price():.2f}", spec)


class Milk(Auditable, Perishable, Product): ...


class Cake(Perishable, Taxed, Auditable, Product):
    tax_rate = 0.1

    def __init__(self, name, base, *, candles=0, **kwargs):
        super(Cake, self).__init__(name, base, **kwargs)
        self.record(f"{candles} candles")


def run(inputs):
    makers = {"milk": Milk, "cake": Cake, "product": Product}
    shelf = [makers[kind](**details) for kind, details in inputs["shelf"]]
    return {
        "labels": [f"{p:>14}" for p in sorted(shelf)], "dicts": [p.to_dict() for p in shelf],
        "events": [list(p.events) for p in shelf if isinstance(p, Auditable)], "made": [Product.made(), shelf[-1].number],
    }

# inputs: {"shelf": [["milk", {"name": "oat", "base": 2.4, "days_left": 2}], ["cake", {"name": "tart", "base": 10, "days_left": 5, "candles": 3}], ["product", {"name": "bowl", "base": 7}]]}
# expect: {"labels": ["      oat@1.20", "     bowl@7.00", "    tart@11.00"], "dicts": [{"kind": "milk", "name": "oat", "price": 1.2, "days_left": 2}, {"kind": "cake", "name": "tart", "price": 11.0, "days_left": 5}, {"kind": "product", "name": "bowl", "price": 7}], "events": [["created"], ["created", "3 candles"]], "made": [3, 3]}
