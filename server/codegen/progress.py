"""What a generation tells while it goes on: bounded, however slowly somebody reads it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pydantic_core

CODE_PAUSE_S = 0.1  # until the next look at the answer so far: each reads all of it

Event = tuple[str, Mapping[str, Any]]


class Progress:
    """Steps and code of one generation, in order. Code that nobody has read yet is one event for each attempt."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        self._ended = False
        self._attempt = 0
        self._text: list[str] = []
        self._told_chars = 0
        self._look: asyncio.TimerHandle | None = None

    def step(self, message: str, **fields: Any) -> None:
        """Tell what begins now, in words, and as fields for programs."""
        self._tell("progress", {"message": message, "attempt": self._attempt, **fields})

    def begin_attempt(self, number: int) -> None:
        """The next code is another attempt's."""
        self._attempt = number
        self._stop_looking()
        self._text = []
        self._told_chars = 0

    def take_text(self, text: str) -> None:
        """Take a piece of the answer; what it adds to the code is told within `CODE_PAUSE_S`."""
        self._text.append(text)
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(CODE_PAUSE_S, self._look_now)

    def tell_code(self, code: str) -> None:
        """Tell what is not told yet of this attempt's code."""
        if len(code) > self._told_chars:
            fresh, self._told_chars = code[self._told_chars :], len(code)
            if self._events and self._events[-1][0] == "code" and self._events[-1][1]["attempt"] == self._attempt:
                fresh = self._events.pop()[1]["text"] + fresh
            self._tell("code", {"attempt": self._attempt, "text": fresh})

    def end(self) -> None:
        """Nothing more is told."""
        self._stop_looking()
        self._ended = True
        self._news.set()

    async def events(self, quiet_s: float) -> AsyncIterator[Event | None]:
        """Every event until the end; None whenever nothing was told for `quiet_s`. For one reader."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._ended:
                return
            self._news.clear()
            try:
                async with asyncio.timeout(quiet_s):
                    await self._news.wait()
            except TimeoutError:
                yield None

    def _tell(self, name: str, fields: Mapping[str, Any]) -> None:
        self._events.append((name, fields))
        self._news.set()

    def _look_now(self) -> None:
        self._look = None
        self.tell_code(self._code_so_far())

    def _stop_looking(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _code_so_far(self) -> str:
        try:
            told = pydantic_core.from_json("".join(self._text), allow_partial="trailing-strings")
        except ValueError:
            return ""
        code = told.get("code") if isinstance(told, dict) else None
        return code if isinstance(code, str) else ""
