"""Gloves that tests hold themselves."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.types import GloveError, GloveFault, JsonValue, LogLine

Answer = Callable[[str, Mapping[str, JsonValue]], Awaitable[JsonValue]]


async def no_glove(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
    """Knows no glove."""
    raise GloveError(GloveFault.LOOKUP, f"ctx.{glove} is not known here")


@dataclass
class FixedGloves:
    """Gloves of one run; `answer` answers its calls, which `calls` has in order, `lines` its log lines."""

    test: bool = False
    seed: int = 42
    started_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    owner: str = "alice"
    frozen_clock: bool = False
    answer: Answer = no_glove
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)

    def log(self, line: LogLine) -> None:
        self.lines.append(line)

    async def call(self, glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        self.calls.append((glove, arguments))
        return await self.answer(glove, arguments)
