"""Compare semantic versions and resolve which release satisfies a set of constraints."""

import re
from dataclasses import dataclass, field, replace
from functools import total_ordering
from typing import Iterable, Self

PATTERN = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:-([\w.]+))?$")


@total_ordering
@dataclass(frozen=True)
class Version:
    major: int
    minor: int
    patch: int = 0
    pre: tuple = field(default=(), repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        m = PATTERN.match(text.strip())
        if m is None:
            raise ValueError(f"not a version: {text!r}")
        pre = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in (m[4] or "").split(".") if p)
        return cls(int(m[1]), int(m[2]), int(m[3] or 0), pre)

    def _key(self):
        return self.major, self.minor, self.patch, not self.pre, self.pre

    def __lt__(self, other: "Version") -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return self._key() < other._key()

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        return text + "-" + ".".join(s or str(n) for _, n, s in self.pre) if self.pre else text

    def bump(self, part: str) -> "Version":
        match part:
            case "major":
                return Version(self.major + 1, 0)
            case "minor":
                return Version(self.major, self.minor + 1)
        return replace(self, patch=self.patch + 1, pre=())


def satisfies(version: Version, constraint: str) -> bool:
    for part in constraint.split(","):
        op, text = re.match(r"\s*(>=|<=|==|!=|>|<|\^|~)?(.*)", part).groups()
        limit = Version.parse(text)
        ok = {
            ">=": lambda: version >= limit, "<=": lambda: version <= limit, "!=": lambda: version != limit,
            ">": lambda: version > limit, "<": lambda: version < limit,
            "^": lambda: limit <= version < limit.bump("major"),
            "~": lambda: limit <= version < limit.bump("minor"),
        }.get(op, lambda: version == limit)()
        if not ok:
            return False
    return True


def newest(versions: Iterable[Version], constraint: str) -> str | None:
    return str(max(found)) if (found := [v for v in versions if satisfies(v, constraint)]) else None


def run(inputs):
    versions, bad = [], []
    for text in inputs["versions"]:
        try:
            versions.append(Version.parse(text))
        except ValueError as exc:
            bad.append(str(exc))
    latest = max(versions)
    return {"sorted": [str(v) for v in sorted(versions)], "bad": bad, "picked": {c: newest(versions, c) for c in inputs["constraints"]},
            "bumps": [str(latest.bump(p)) for p in ("major", "minor", "patch")], "unique": len(set(versions)), "repr": repr(latest)}

# inputs: {"versions": ["1.2.0", "1.10.0", "v1.9.3", "2.0.0-rc.1", "2.0.0-rc.11", "2.0.0-beta", "1.2", "one", "2.0.0"], "constraints": ["^1.2", "~1.9", ">=2.0.0-beta,<2.0.0", "==3.0", "!=2.0.0"]}
# expect: {"sorted": ["1.2.0", "1.2.0", "1.9.3", "1.10.0", "2.0.0-beta", "2.0.0-rc.1", "2.0.0-rc.11", "2.0.0"], "bad": ["not a version: 'one'"], "picked": {"^1.2": "2.0.0-rc.11", "~1.9": "1.9.3", ">=2.0.0-beta,<2.0.0": "2.0.0-rc.11", "==3.0": null, "!=2.0.0": "2.0.0-rc.11"}, "bumps": ["3.0.0", "2.1.0", "2.0.1"], "unique": 7, "repr": "Version(major=2, minor=0, patch=0)"}
