"""Price an invoice with discounts and tax in exact decimal arithmetic."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import List

CENT = Decimal("0.01")


def money(value) -> Decimal:
    return Decimal(str(value)).quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass
class LineItem:
    description: str
    quantity: int
    unit_price: Decimal
    tax_rate: Decimal = Decimal("0.20")
    discount: Decimal = Decimal("0")

    def __post_init__(self):
        if self.quantity < 1:
            raise ValueError(f"quantity of {self.description} must be at least 1")

    @property
    def net(self) -> Decimal:
        gross = self.quantity * self.unit_price
        return money(gross * (1 - self.discount))

    @property
    def tax(self) -> Decimal:
        return money(self.net * self.tax_rate)


@dataclass
class Invoice:
    number: str
    items: List[LineItem] = field(default_factory=list)

    def add(self, item: LineItem) -> "Invoice":
        self.items.append(item)
        return self

    def totals(self) -> dict:
        net = sum((i.net for i in self.items), Decimal(0))
        by_rate: dict[Decimal, Decimal] = {}
        for item in self.items:
            by_rate[item.tax_rate] = by_rate.get(item.tax_rate, Decimal(0)) + item.tax
        tax = sum(by_rate.values(), Decimal(0))
        return {
            "net": str(net),
            "tax": {f"{rate:.0%}": str(amount) for rate, amount in sorted(by_rate.items())},
            "total": f"{net + tax:,.2f}",
        }


def run(inputs: dict) -> dict:
    invoice = Invoice(inputs["number"])
    problems: List[str] = []
    for raw in inputs["items"]:
        try:
            invoice.add(
                LineItem(
                    raw["description"],
                    raw["quantity"],
                    Decimal(raw["unit_price"]),
                    Decimal(raw.get("tax_rate", "0.20")),
                    Decimal(raw.get("discount", "0")),
                )
            )
        except ValueError as e:
            problems.append(str(e))
    return {"invoice": invoice.number, "lines": len(invoice.items), **invoice.totals(), "problems": problems}

# inputs: {"number": "2024-017", "items": [{"description": "Chair", "quantity": 4, "unit_price": "129.99", "discount": "0.125"}, {"description": "Book", "quantity": 3, "unit_price": "19.95", "tax_rate": "0.07"}, {"description": "Air", "quantity": 0, "unit_price": "1"}, {"description": "Desk", "quantity": 1, "unit_price": "899.00"}]}
# expect: {"invoice": "2024-017", "lines": 3, "net": "1413.82", "tax": {"7%": "4.19", "20%": "270.79"}, "total": "1,688.80", "problems": ["quantity of Air must be at least 1"]}
