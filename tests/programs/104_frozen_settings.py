"""Immutable settings: normalised in __post_init__, changed by replace, compared and hashed."""

import dataclasses
from dataclasses import KW_ONLY, FrozenInstanceError, InitVar, dataclass, field
from typing import ClassVar, Final

DEFAULT_PORT: Final = 8080


@dataclass(frozen=True)
class Limits:
    requests: int = 100
    window_s: float = 1.0

    @property
    def rate(self) -> float:
        return self.requests / self.window_s


@dataclass(frozen=True)
class Settings:
    name: str
    _: KW_ONLY
    port: int = DEFAULT_PORT
    tags: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    url: str = field(init=False, compare=False)
    secure: InitVar[bool] = True
    known: ClassVar[dict[str, "Settings"]] = {}

    def __post_init__(self, secure: bool) -> None:
        object.__setattr__(self, "tags", tuple(sorted(set(self.tags))))
        object.__setattr__(self, "url", f"http{'s' if secure else ''}://{self.name}:{self.port}")
        self.known.setdefault(self.name, self)

    def to_dict(self) -> dict:
        return {**dataclasses.asdict(self), "tags": list(self.tags)}


def run(inputs):
    base = Settings(inputs["name"], tags=inputs["tags"])
    other = dataclasses.replace(base, port=9000, limits=Limits(50, 0.5), secure=False)
    problems = []
    for action in (
        lambda: setattr(base, "port", 1),
        lambda: Settings("x", 8081),
        lambda: dataclasses.replace(base, url="x", secure=True),
    ):
        try:
            action()
        except (FrozenInstanceError, TypeError, ValueError) as exc:
            problems.append(type(exc).__name__)
    return {
        "base": base.to_dict(),
        "other": [other.url, other.limits.rate, repr(other.limits)],
        "equal": base == Settings(inputs["name"], tags=reversed(inputs["tags"]), secure=False),
        "distinct": len({base, other, dataclasses.replace(base, secure=True)}),
        "fields": [f.name for f in dataclasses.fields(Settings) if f.init],
        "known": list(Settings.known),
        "problems": problems,
        "is_dataclass": dataclasses.is_dataclass(base),
    }

# inputs: {"name": "api.example", "tags": ["b", "a", "b"]}
# expect: {"base": {"name": "api.example", "port": 8080, "tags": ["a", "b"], "limits": {"requests": 100, "window_s": 1.0}, "url": "https://api.example:8080"}, "other": ["http://api.example:9000", 100.0, "Limits(requests=50, window_s=0.5)"], "equal": true, "distinct": 2, "fields": ["name", "port", "tags", "limits"], "known": ["api.example"], "problems": ["FrozenInstanceError", "TypeError", "ValueError"], "is_dataclass": true}
