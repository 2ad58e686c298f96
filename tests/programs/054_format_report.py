"""Print a payroll report with str.format, percent formatting and format specs."""

from collections import namedtuple
from datetime import date

Employee = namedtuple("Employee", ["name", "rate", "hours", "joined"], defaults=[date(2020, 1, 1)])

ROW = "{e.name:<10.8}|{e.hours:>7.1f}|{pay:>12,.2f}|{e.joined:%d %b %Y}|{flags[0]}{flags[1]}"
TOTAL = "%-10s|%7.1f|%12.2f|%05d"


def pay(employee):
    overtime = max(0, employee.hours - 40)
    return employee.rate * (employee.hours - overtime) + employee.rate * 1.5 * overtime


class Percent(float):
    def __format__(self, spec):
        if spec.endswith("pc"):
            return format(self * 100, spec[:-2] + "f") + " %"
        return super().__format__(spec)


def run(inputs):
    staff = []
    for raw in inputs["staff"]:
        raw = dict(raw)
        if "joined" in raw:
            raw["joined"] = date.fromisoformat(raw["joined"])
        staff.append(Employee(**raw))
    lines = []
    for employee in sorted(staff, key=lambda e: e.name):
        flags = ("!" if employee.hours > 40 else "-", "N" if employee.joined.year >= 2024 else "-")
        lines.append(ROW.format(e=employee, pay=pay(employee), flags=flags))
    hours = sum(e.hours for e in staff)
    cost = sum(map(pay, staff))
    lines.append(TOTAL % ("total", hours, cost, len(staff)))
    lines.append("{:=^40}".format(" end "))
    share = Percent(pay(staff[0]) / cost)
    return {
        "lines": lines,
        "share": f"{share:.1pc} / {share:.3f}",
        "mapping": "%(name)s earns %(rate)+d" % staff[0]._asdict(),
        "bases": "{0:b} {0:#x} {0:o} {0:e} {1!r:>6} {{}}".format(42, "é"),
        "grouped": f"{1234567:_} {1234567.891:,.1f} {0.256:%} {-7:+04d} {cost=:.1f}",
        "raised": staff[0]._replace(rate=99).rate,
    }

# inputs: {"staff": [{"name": "Katherine", "rate": 50, "hours": 45, "joined": "2024-02-29"}, {"name": "Alan", "rate": 42.5, "hours": 38.5}, {"name": "Joan", "rate": 61, "hours": 40, "joined": "2019-07-01"}]}
# expect: {"lines": ["Alan      |   38.5|    1,636.25|01 Jan 2020|--", "Joan      |   40.0|    2,440.00|01 Jul 2019|--", "Katherin  |   45.0|    2,375.00|29 Feb 2024|!N", "total     |  123.5|     6451.25|00003", "================= end =================="], "share": "36.8 % / 0.368", "mapping": "Katherine earns +50", "bases": "101010 0x2a 52 4.200000e+01    'é' {}", "grouped": "1_234_567 1,234,567.9 25.600000% -007 cost=6451.2", "raised": 99}
