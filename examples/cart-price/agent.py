"""Price a cart: line rules first, then a coupon, then shipping and tax, every step shown."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
BULK = [(100, Decimal("0.15")), (25, Decimal("0.10")), (10, Decimal("0.05"))]
COUPONS = {"WELCOME10": ("percent", Decimal(10), Decimal(0)), "FIVEOFF": ("amount", Decimal(5), Decimal(30))}
SHIPPING = Decimal("4.90")
SHIPPING_FREE_FROM = Decimal(50)
TAX_RATES = {"standard": Decimal("0.20"), "reduced": Decimal("0.07"), "zero": Decimal(0)}


def money(amount):
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Line:
    """One position of the cart."""

    sku: str
    quantity: int
    unit_price: Decimal
    tax: str = "standard"
    three_for_two: bool = False

    @property
    def gross(self):
        return money(self.unit_price * self.quantity)

    @property
    def discount(self):
        """The better of what applies; rules do not add up."""
        best = Decimal(0)
        if self.three_for_two:
            best = money(self.unit_price * (self.quantity // 3))
        for from_quantity, share in BULK:
            if self.quantity >= from_quantity:
                best = max(best, money(self.gross * share))
                break
        return best

    @property
    def total(self):
        return self.gross - self.discount


class Pricing:
    """Gathers what is paid and why."""

    def __init__(self, lines):
        self._lines = lines
        self._notes = []
        self.coupon_discount = Decimal(0)

    @property
    def subtotal(self):
        return sum((line.total for line in self._lines), Decimal(0))

    def apply_coupon(self, code):
        if not code:
            return
        if code.upper() not in COUPONS:
            self._notes.append(f"coupon {code} is unknown")
            return
        kind, value, minimum = COUPONS[code.upper()]
        if self.subtotal < minimum:
            self._notes.append(f"coupon {code.upper()} needs a subtotal of {money(minimum)}")
            return
        reduction = self.subtotal * value / 100 if kind == "percent" else value
        self.coupon_discount = min(money(reduction), self.subtotal)

    @property
    def shipping(self):
        paid = self.subtotal - self.coupon_discount
        return Decimal(0) if not self._lines or paid >= SHIPPING_FREE_FROM else SHIPPING

    def tax_included(self):
        """Prices contain tax; a coupon lowers every line by the same share."""
        share = 1 - self.coupon_discount / self.subtotal if self.subtotal else Decimal(0)
        taxes = {}
        for line in self._lines:
            rate = TAX_RATES[line.tax]
            paid = line.total * share
            taxes[line.tax] = taxes.get(line.tax, Decimal(0)) + paid - paid / (1 + rate)
        return {name: str(money(tax)) for name, tax in sorted(taxes.items())}

    def to_json(self):
        return {
            "lines": [
                {
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "discount": str(money(line.discount)),
                    "total": str(line.total),
                }
                for line in self._lines
            ],
            "subtotal": str(money(self.subtotal)),
            "coupon_discount": str(money(self.coupon_discount)),
            "shipping": str(money(self.shipping)),
            "total": str(money(self.subtotal - self.coupon_discount + self.shipping)),
            "tax_included": self.tax_included(),
            "notes": self._notes,
        }


def run(inputs):
    lines = [
        Line(
            sku=item["sku"],
            quantity=item["quantity"],
            unit_price=Decimal(item["unit_price"]),
            tax=item.get("tax", "standard"),
            three_for_two=item.get("three_for_two", False),
        )
        for item in inputs["items"]
    ]
    pricing = Pricing(lines)
    pricing.apply_coupon(inputs.get("coupon"))
    return pricing.to_json()
