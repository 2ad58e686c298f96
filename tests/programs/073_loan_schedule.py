"""Amortise a loan in decimals, with extra payments and yearly totals."""

import decimal
from decimal import Decimal
from typing import Iterator, NamedTuple

CENT = Decimal("0.01")


class Payment(NamedTuple):
    month: int
    interest: Decimal
    principal: Decimal
    balance: Decimal


class Loan:
    def __init__(self, amount, yearly_rate, months):
        self.amount = Decimal(amount)
        self._rate = Decimal(yearly_rate) / 1200
        self.months = months

    @property
    def instalment(self) -> Decimal:
        with decimal.localcontext() as ctx:
            ctx.prec = 40
            if self._rate == 0:
                payment = self.amount / self.months
            else:
                growth = (1 + self._rate) ** self.months
                payment = self.amount * self._rate * growth / (growth - 1)
        return payment.quantize(CENT, rounding=decimal.ROUND_UP)

    def schedule(self, extra=None) -> Iterator[Payment]:
        extra = extra or {}
        balance = self.amount
        month = 0
        while balance > 0:
            month += 1
            interest = (balance * self._rate).quantize(CENT, rounding=decimal.ROUND_HALF_EVEN)
            principal = min(balance, self.instalment - interest + Decimal(extra.get(str(month), 0)))
            balance -= principal
            yield Payment(month, interest, principal, balance)


def yearly(payments):
    totals: dict[int, list[Decimal]] = {}
    for p in payments:
        year = totals.setdefault((p.month - 1) // 12 + 1, [Decimal(0), Decimal(0)])
        year[0] += p.interest
        year[1] += p.principal
    return totals


def run(inputs):
    loan = Loan(inputs["amount"], inputs["rate"], inputs["months"])
    plain = list(loan.schedule())
    faster = list(loan.schedule(inputs["extra"]))
    saved = sum(p.interest for p in plain) - sum(p.interest for p in faster)
    return {
        "instalment": str(loan.instalment),
        "first": [str(v) for v in plain[0]],
        "last": [str(v) for v in plain[-1]],
        "years": {f"year {y}": {"interest": str(i), "principal": str(p)} for y, (i, p) in yearly(plain).items()},
        "paid_exactly": sum(p.principal for p in plain) == loan.amount,
        "with_extra": {"months": len(faster), "saved": format(saved, "f")},
        "free": str(Loan("1000", "0", 3).instalment),
    }

# inputs: {"amount": "12000", "rate": "4.8", "months": 24, "extra": {"6": "1500", "12": "2000"}}
# expect: {"instalment": "525.39", "first": ["1", "48.00", "477.39", "11522.61"], "last": ["24", "2.09", "523.11", "0.00"], "years": {"year 1": {"interest": "448.29", "principal": "5856.39"}, "year 2": {"interest": "160.88", "principal": "6143.61"}}, "paid_exactly": true, "with_extra": {"months": 18, "saved": "165.74"}, "free": "333.34"}
