"""Compute progressive income tax from a table of brackets, with allowances."""

from bisect import bisect
from dataclasses import dataclass, field
from decimal import Decimal as D
from typing import Optional


@dataclass(frozen=True, kw_only=True)
class Bracket:
    above: D
    rate: D
    up_to: Optional[D] = None

    def tax(self, income: D) -> D:
        top = income if self.up_to is None else min(income, self.up_to)
        return max(D(0), top - self.above) * self.rate


@dataclass
class TaxTable:
    brackets: list[Bracket]
    allowances: dict[str, D] = field(default_factory=dict)

    @classmethod
    def from_rows(cls, rows, **allowances):
        limits = [D(limit) for limit, _ in rows]
        brackets = [
            Bracket(above=low, rate=D(rate) / 100, up_to=high)
            for (_, rate), low, high in zip(rows, limits, [*limits[1:], None])
        ]
        return cls(brackets, {k: D(v) for k, v in allowances.items()})

    def taxable(self, income, claims):
        relief = sum((self.allowances[c] for c in claims if c in self.allowances), start=D(0))
        return max(D(0), income - relief)

    def assess(self, income, claims=()):
        base = self.taxable(income, claims)
        lines = [(b.rate, t) for b in self.brackets if (t := b.tax(base)) > 0]
        total = sum((t for _, t in lines), D(0))
        marginal = self.brackets[bisect([b.above for b in self.brackets], base) - 1].rate
        return {
            "taxable": f"{base:,}",
            "tax": f"{total:,.2f}",
            "by_rate": {f"{rate:.0%}": f"{amount:.2f}" for rate, amount in lines},
            "marginal": f"{marginal:.0%}",
            "effective": f"{(total / income if income else D(0)):.2%}",
        }


def run(inputs):
    table = TaxTable.from_rows(inputs["brackets"], **inputs["allowances"])
    result = {}
    for person in inputs["people"]:
        match person:
            case {"name": name, "income": income, "claims": [_, *_] as claims}:
                result[name] = table.assess(D(income), claims)
            case {"name": name, "income": income}:
                result[name] = table.assess(D(income))
            case {"name": name}:
                result[name] = "no income given"
    return result

# inputs: {"brackets": [["0", "0"], ["10000", "20"], ["40000", "40"], ["100000", "45"]], "allowances": {"child": "3000", "commute": "1250.50"}, "people": [{"name": "Ann", "income": "30000"}, {"name": "Ben", "income": "52000", "claims": ["child", "commute", "yacht"]}, {"name": "Cleo", "income": "150000", "claims": []}, {"name": "Dan", "income": "0"}, {"name": "Eve"}]}
# expect: {"Ann": {"taxable": "30,000", "tax": "4,000.00", "by_rate": {"20%": "4000.00"}, "marginal": "20%", "effective": "13.33%"}, "Ben": {"taxable": "47,749.50", "tax": "9,099.80", "by_rate": {"20%": "6000.00", "40%": "3099.80"}, "marginal": "40%", "effective": "17.50%"}, "Cleo": {"taxable": "150,000", "tax": "52,500.00", "by_rate": {"20%": "6000.00", "40%": "24000.00", "45%": "22500.00"}, "marginal": "45%", "effective": "35.00%"}, "Dan": {"taxable": "0", "tax": "0.00", "by_rate": {}, "marginal": "0%", "effective": "0.00%"}, "Eve": "no income given"}
