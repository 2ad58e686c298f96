"""Import orders through a pipeline of steps that logs what it does; a dry run stores nothing."""

from collections import Counter
from datetime import datetime
from decimal import Decimal, InvalidOperation


class StepFailed(Exception):
    def __init__(self, step, reason, **details):
        super().__init__(f"{step}: {reason}")
        self.step, self.reason, self.details = step, reason, details


class Pipeline:
    def __init__(self, ctx):
        self._ctx = ctx
        self._steps = []
        self._stats = Counter()

    def step(self, func):
        self._steps.append(func)
        return func

    def process(self, record):
        for number, func in enumerate(self._steps, 1):
            try:
                record = func(record)
            except StepFailed as failure:
                self._stats[failure.step] += 1
                self._ctx.log("order refused", order=record.get("id"), reason=failure.reason, **failure.details)
                return None
            self._stats[f"step {number}"] += 1
        return record

    @property
    def stats(self):
        return dict(self._stats)


def run(inputs, ctx):
    pipeline = Pipeline(ctx)
    stored = {}

    @pipeline.step
    def parse_amount(record):
        try:
            amount = Decimal(record["amount"].replace(",", "."))
        except (InvalidOperation, KeyError, AttributeError) as exc:
            raise StepFailed("parse", "bad amount", kind=type(exc).__name__) from exc
        return {**record, "amount": amount}

    @pipeline.step
    def parse_date(record):
        for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y"):
            try:
                return {**record, "date": datetime.strptime(record["date"], pattern).date()}
            except ValueError:
                continue
        raise StepFailed("parse", "bad date", value=record["date"])

    @pipeline.step
    def deduplicate(record):
        if record["id"] in stored:
            raise StepFailed("deduplicate", "seen before")
        return record

    for raw in inputs["orders"]:
        if (order := pipeline.process(raw)) and not ctx.test:
            stored[order["id"]] = order
    ctx.log("import finished", **pipeline.stats)
    total = sum((o["amount"] for o in stored.values()), Decimal())
    return {"stored": {k: f"{o['date']} {o['amount']}" for k, o in stored.items()}, "total": str(total), "stats": pipeline.stats}

# inputs: {"orders": [{"id": "A", "amount": "12,50", "date": "2024-05-01"}, {"id": "B", "amount": "x", "date": "2024-05-01"}, {"id": "A", "amount": "3", "date": "01.05.2024"}, {"id": "C", "amount": "7.25", "date": "05/02/24"}, {"id": "D", "amount": 5, "date": "soon"}, {"id": "E", "amount": "5", "date": "soon"}]}
# expect: {"stored": {"A": "2024-05-01 12.50", "C": "2024-05-02 7.25"}, "total": "19.75", "stats": {"step 1": 4, "step 2": 3, "step 3": 2, "parse": 3, "deduplicate": 1}}
