"""`glovebox sandbox-host`: the host of the sandboxes in this process, until it is told to stop."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from sandbox.remote.address import AddressError
from server.cli import output
from server.cli.errors import CliError
from server.cli.options import load_settings
from server.logging import configure_logging


def sandbox_host(
    socket: Annotated[
        Path | None, typer.Option(help="Unix socket to serve. Default: GLOVEBOX_SANDBOX_SOCKET.", show_default=False)
    ] = None,
) -> None:
    """Run programs for the servers that name this socket: they share sandboxes, and hold no engine's socket."""
    from server.sandbox_host import serve_sandboxes  # the rest of the command line starts faster without it

    settings = load_settings()
    chosen = socket or settings.sandbox_socket
    if chosen is None:
        raise CliError("no socket to serve", hint="give --socket PATH, or set GLOVEBOX_SANDBOX_SOCKET")
    path = chosen.expanduser().absolute()
    configure_logging(settings)

    def announce() -> None:
        # Standard output belongs to the log.
        output.note(f"sandbox host listens on {path}")

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve_sandboxes(settings, path, announce))
    except AddressError as exc:
        raise CliError(str(exc)) from exc
