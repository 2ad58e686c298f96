"""Decide feature flags by rules, percentages and user attributes."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Callable, Literal, Protocol

Operator = Literal["eq", "in", "gte", "prefix"]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda have, want: have == want,
    "in": lambda have, want: have in want,
    "gte": lambda have, want: have is not None and have >= want,
    "prefix": lambda have, want: isinstance(have, str) and have.startswith(want),
}


class Rule(Protocol):
    def applies(self, user: dict[str, Any], flag: str) -> bool: ...


@dataclass
class AttributeRule:
    attribute: str
    operator: Operator
    value: Any

    def applies(self, user, flag):
        return OPERATORS[self.operator](user.get(self.attribute), self.value)


@dataclass
class PercentageRule:
    percent: int

    def applies(self, user, flag):
        digest = hashlib.md5(f"{flag}:{user['id']}".encode()).hexdigest()
        return int(digest[:8], 16) % 100 < self.percent


@dataclass
class Flag:
    name: str
    enabled: bool = True
    rules: list[Rule] = field(default_factory=list)

    def is_on(self, user: dict[str, Any]) -> bool:
        return self.enabled and (not self.rules or any(r.applies(user, self.name) for r in self.rules))


def build(name: str, spec: dict[str, Any]) -> Flag:
    rules: list[Rule] = []
    for raw in spec.get("rules", ()):
        match raw:
            case {"percent": int(percent)}:
                rules.append(PercentageRule(percent))
            case [str(attribute), str(operator), value] if operator in OPERATORS:
                rules.append(AttributeRule(attribute, operator, value))
            case _:
                raise ValueError(f"flag {name}: bad rule {raw!r}")
    return Flag(name, spec.get("enabled", True), rules)


def run(inputs):
    flags, errors = {}, []
    for name, spec in inputs["flags"].items():
        try:
            flags[name] = build(name, spec)
        except ValueError as e:
            errors.append(str(e))
    users = inputs["users"]
    return {
        "on": {u["id"]: sorted(n for n, f in flags.items() if f.is_on(u)) for u in users},
        "rollout": sum(flags["search"].is_on({"id": f"user-{n}"}) for n in range(200)),
        "errors": errors,
    }

# inputs: {"flags": {"dark": {}, "beta": {"rules": [["mail", "prefix", "qa-"], ["plan", "in", ["pro", "team"]]]}, "old": {"enabled": false}, "search": {"rules": [{"percent": 30}, ["age", "gte", 65]]}, "oops": {"rules": [["x", "like", 1]]}}, "users": [{"id": "u1", "plan": "free", "age": 70}, {"id": "u2", "plan": "pro", "mail": "x@y"}, {"id": "u3", "mail": "qa-1@y"}]}
# expect: {"on": {"u1": ["dark", "search"], "u2": ["beta", "dark"], "u3": ["beta", "dark"]}, "rollout": 61, "errors": ["flag oops: bad rule ['x', 'like', 1]"]}
