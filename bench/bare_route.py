"""A route that does nothing, on the stack that the server stands on: what HTTP by itself takes."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
import uvloop
from fastapi import FastAPI

STOP_S_MAX = 20
_LAUNCHER = "import sys; sys.path.insert(0, sys.argv[1]); from bench.bare_route import main; main()"


def main() -> None:
    """Serve on a free port of this machine, whose number is printed, until standard input ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(listener))


@contextmanager
def running_route() -> Iterator[int]:
    """The port of the route in a process of its own."""
    command = [sys.executable, "-IB", "-c", _LAUNCHER, str(Path(__file__).parents[1])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin is not None  # noqa: S101 - a pipe was asked for
            assert process.stdout is not None  # noqa: S101 - as above
            yield int(process.stdout.readline())
            process.stdin.close()
            process.wait(STOP_S_MAX)
        finally:
            process.kill()


async def _serve(listener: socket.socket) -> None:
    app = FastAPI()

    @app.get("/hello")
    async def hello(name: str) -> dict[str, str]:
        return {"hello": name}

    config = uvicorn.Config(app, loop="uvloop", lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving
