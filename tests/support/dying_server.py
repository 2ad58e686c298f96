"""A real server that kills itself with SIGKILL at a named point of its first run. Run as a module, with the point.

Everything else about it is `glovebox serve`: the same wiring, with a store, a sandbox and an answer that die.
"""

import asyncio
import os
import signal
import sys
from enum import StrEnum
from itertools import count
from typing import Any, NoReturn

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import sandbox.dialogue
import server.app
import server.sandboxes
import server.stores
from agents_store.postgres.store import PostgresStore
from agents_store.types import BegunRun, Charge, Principal, RunEnd, RunStart
from sandbox.restricted import RestrictedSandbox
from sandbox.types import Gloves, Inputs, Limits, Program, Result
from sandbox.untrusted import read_log
from server.cli.serve import run_server
from server.settings import Settings

LOG_LINES = 3
RUN_S = 1.5
INTO_THE_RUN_S = 0.5

# What the killed run executes: log lines at both ends, and time to be killed in between.
CODE = f"""
import time
def run(inputs):
    print("line 1")
    time.sleep({RUN_S})
    print("line 2")
    print("line {LOG_LINES}")
    return {{"done": True}}
"""


class Point(StrEnum):
    """Where a server is killed, in the order in which a run passes them."""

    BEFORE_BEGIN = "before begin"
    INSIDE_BEGIN = "inside begin"
    AFTER_BEGIN = "after begin"
    BEFORE_THE_SANDBOX = "before the sandbox starts"
    AT_THE_FIRST_LINE = "at its first log line"
    WHILE_IT_RUNS = "while it runs"
    AT_THE_LAST_LINE = "at its last log line"
    AFTER_ITS_RESULT = "after its result"
    INSIDE_FINISH = "inside finish"
    AFTER_FINISH = "after finish"
    BEFORE_THE_ANSWER = "before the answer"
    AFTER_THE_ANSWER = "after the answer"


# The database holds these up until they are killed from outside: nothing in the process can be inside a statement.
HELD_UP = frozenset({Point.INSIDE_BEGIN, Point.INSIDE_FINISH})


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


class DyingStore(PostgresStore):
    point: Point

    async def begin(self, principal: Principal, start: RunStart) -> BegunRun:
        if self.point is Point.BEFORE_BEGIN:
            die()
        begun = await super().begin(principal, start)
        if self.point is Point.AFTER_BEGIN:
            die()
        return begun

    async def finish(self, principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        charge = await super().finish(principal, run, end)
        if self.point is Point.AFTER_FINISH:
            die()
        return charge


class DyingSandbox(RestrictedSandbox):
    point: Point

    async def run(self, program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        if self.point is Point.BEFORE_THE_SANDBOX:
            die()
        if self.point is Point.WHILE_IT_RUNS:
            asyncio.get_running_loop().call_later(INTO_THE_RUN_S, die)
        result = await super().run(program, inputs, limits, gloves)
        if self.point is Point.AFTER_ITS_RESULT:
            die()
        return result


class DyingAnswer:
    """Dies at the answer to an invocation."""

    def __init__(self, app: ASGIApp, point: Point) -> None:
        self._app = app
        self._point = point

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            is_run = any(name == b"glovebox-run-id" for name, _ in message.get("headers", ()))
            if is_run and self._point is Point.BEFORE_THE_ANSWER:
                die()
            await send(message)
            if message["type"] == "http.response.body" and self._point is Point.AFTER_THE_ANSWER:
                die()

        await self._app(scope, receive, answer)


def die_at(point: Point) -> None:
    """Wire every later application of this process to die at `point`."""
    create_app = server.app.create_app

    def create(settings: Settings) -> FastAPI:
        app = create_app(settings)
        app.add_middleware(DyingAnswer, point=point)
        return app

    lines = count(1)

    def read_line(payload: bytes) -> Any:
        number = next(lines)
        if (number, point) in ((1, Point.AT_THE_FIRST_LINE), (LOG_LINES, Point.AT_THE_LAST_LINE)):
            die()
        return read_log(payload)

    DyingStore.point = DyingSandbox.point = point
    vars(server.app).update(create_app=create)
    vars(server.stores).update(PostgresStore=DyingStore)
    vars(server.sandboxes).update(RestrictedSandbox=DyingSandbox)
    vars(sandbox.dialogue).update(read_log=read_line)


def main() -> None:
    die_at(Point(sys.argv[1]))
    run_server(Settings(), "127.0.0.1", 0, lambda url: print(f"listens on {url}", file=sys.stderr))  # noqa: T201


if __name__ == "__main__":
    main()
