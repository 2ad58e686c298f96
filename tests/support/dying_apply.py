"""A real server that kills itself with SIGKILL at one of the steps of an apply. Run as a module: the step, and a file.

Steps are the calls of the store that an apply makes, and each has two: before it and after it. They are counted from
where the file is there.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import server.stores
from agents_store.postgres.store import PostgresStore
from server.cli.serve import run_server
from server.settings import Settings

STEPS = ("begin_apply", "claim_effect", "conclude_effect", "apply_memory", "reserve_file", "apply_file", "finish")


class Fuse:
    """Counts steps, and burns down at one of them."""

    def __init__(self, step: int, armed: Path) -> None:
        self._left = step
        self._armed = armed

    def step(self) -> None:
        if self._armed.exists():
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def fused(call: Callable[..., Awaitable[Any]], fuse: Fuse) -> Callable[..., Awaitable[Any]]:
    async def around(*arguments: Any, **options: Any) -> Any:
        fuse.step()
        answer = await call(*arguments, **options)
        fuse.step()
        return answer

    return around


def main() -> None:
    fuse = Fuse(int(sys.argv[1]), Path(sys.argv[2]))
    methods = {name: fused(getattr(PostgresStore, name), fuse) for name in STEPS}
    vars(server.stores).update(PostgresStore=type("DyingStore", (PostgresStore,), methods))
    run_server(Settings(), "127.0.0.1", 0, lambda url: print(f"listens on {url}", file=sys.stderr))  # noqa: T201


if __name__ == "__main__":
    main()
