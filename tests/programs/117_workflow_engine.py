"""Run a workflow of dependent steps with conditions, retries and compensation."""

from dataclasses import dataclass, field
from typing import Any, Callable


class WorkflowError(Exception):
    """Carries the failed step's name and the steps that were undone."""


@dataclass
class Step:
    name: str
    action: Callable[[dict[str, Any]], Any]
    when: Callable[[dict], bool] = lambda context: True
    attempts: int = 1
    undo: Callable | None = None


@dataclass
class Workflow:
    steps: list[Step] = field(default_factory=list)
    history: list[str] = field(default_factory=list)

    def step(self, name=None, **options):
        def register(action: Callable) -> Callable:
            self.steps.append(Step(name or action.__name__, action, **options))
            return action
        return register

    def run(self, context: dict[str, Any]) -> dict[str, Any]:
        done: list[Step] = []
        for step in self.steps:
            if not step.when(context):
                self.history.append(f"skip {step.name}")
                continue
            for attempt in range(1, step.attempts + 1):
                try:
                    context[step.name] = step.action(context)
                    self.history.append(f"{step.name} ok")
                    done.append(step)
                    break
                except Exception as exc:
                    self.history.append(f"{step.name} #{attempt}: {exc}")
            else:
                undone = [s.name for s in reversed(done) if s.undo and (s.undo(context) or True)]
                raise WorkflowError(step.name, undone)
        return context


def build(log: list[str]) -> Workflow:
    flow = Workflow()
    @flow.step(undo=lambda c: log.append(f"release {c['reserve']}"))
    def reserve(context):
        return context["quantity"] * 10
    flow.step(when=lambda c: c.get("express"), undo=lambda c: log.append("cancel it"), name="courier")(lambda c: "booked")

    @flow.step(attempts=3)
    def charge(context):
        context["tries"] = tries = context.get("tries", 0) + 1
        if tries < context["works_at"]:
            raise TimeoutError(f"bank busy ({tries})")
        return f"paid {context['reserve']}"

    return flow


def run(inputs):
    results = []
    for context in inputs["orders"]:
        flow = build(log := [])
        try:
            results.append({"charge": flow.run(dict(context))["charge"], "history": flow.history})
        except WorkflowError as exc:
            failed, undone = exc.args
            results.append({"failed": failed, "undone": undone, "log": log, "tail": flow.history[-1]})
    return {"results": results}

# inputs: {"orders": [{"quantity": 2, "works_at": 1}, {"quantity": 1, "works_at": 3, "express": true}, {"quantity": 5, "works_at": 9, "express": true}]}
# expect: {"results": [{"charge": "paid 20", "history": ["reserve ok", "skip courier", "charge ok"]}, {"charge": "paid 10", "history": ["reserve ok", "courier ok", "charge #1: bank busy (1)", "charge #2: bank busy (2)", "charge ok"]}, {"failed": "charge", "undone": ["courier", "reserve"], "log": ["cancel it", "release 50"], "tail": "charge #3: bank busy (3)"}]}
