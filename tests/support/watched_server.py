"""A real server that writes down how long its event loop was held up. Run as a module, with the file to write to."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

import server.app
from server.cli.serve import run_server
from server.settings import Settings

TICK_S = 0.002
NOTED_MS_MIN = 10


async def watch(notes: Path) -> None:
    """Write a line of milliseconds whenever a tick came late because this process was computing.

    A machine that is busy elsewhere holds up the tick too, but takes no processor time of this process meanwhile.
    """
    with notes.open("a", buffering=1) as out:
        while True:
            wall, cpu = time.perf_counter(), time.process_time()
            await asyncio.sleep(TICK_S)
            held_up_s = min(time.perf_counter() - wall - TICK_S, time.process_time() - cpu)
            if held_up_s * 1000 >= NOTED_MS_MIN:
                out.write(f"{held_up_s * 1000:.1f}\n")


def watch_into(notes: Path) -> None:
    """Wire every later application of this process to be watched."""
    create_app = server.app.create_app

    def create(settings: Settings) -> FastAPI:
        app = create_app(settings)
        lifespan = app.router.lifespan_context

        @asynccontextmanager
        async def watched(app: FastAPI) -> AsyncIterator[None]:
            async with lifespan(app):
                task = asyncio.create_task(watch(notes))
                yield
                task.cancel()

        app.router.lifespan_context = watched
        return app

    vars(server.app).update(create_app=create)


def main() -> None:
    watch_into(Path(sys.argv[1]))
    run_server(Settings(), "127.0.0.1", 0, lambda url: print(f"listens on {url}", file=sys.stderr))  # noqa: T201


if __name__ == "__main__":
    main()
