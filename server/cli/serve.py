"""`glovebox serve`: the server in this process, until it is told to stop."""

import asyncio
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
import uvicorn
import uvloop

from server.cli import output
from server.cli.errors import CliError
from server.cli.http_bounds import bounded_protocol
from server.cli.options import DataDir, load_settings
from server.logging import configure_logging
from server.process import keep_loop_free, raise_descriptor_limit
from server.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

CONNECTIONS_MAX = 4096
KEEP_ALIVE_S = 20
BACKLOG = 4096  # as large as the kernel lets it be: a newcomer that finds it full is heard a second later

Announce = Callable[[str], None]

log = structlog.get_logger("server.start")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    data_dir: DataDir = None,
) -> None:
    """Run the server. Without DATABASE_URL it keeps a database of its own in the data directory."""
    settings = load_settings(data_dir)

    def announce(url: str) -> None:
        # Standard output belongs to the log.
        output.note(f"Glovebox listens on {url}")
        if settings.database_url is None:
            output.note(f"data directory: {settings.data_dir}")
        if settings.supabase_url is None and settings.supabase_jwt_secret is None:
            option = "" if data_dir is None else f" --data-dir {settings.data_dir}"
            output.note(f"get a token: glovebox token --user UUID{option}")

    run_server(settings, host, port, announce)


def run_server(settings: Settings, host: str, port: int, announce: Announce) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP, then let live runs end within `shutdown_grace_s`.

    Args:
        settings: everything the application needs.
        host: address or name to listen on.
        port: 0 takes a free one.
        announce: called once with the server's URL, when it answers.

    Raises:
        CliError: the address cannot be listened on.
        StoreError, AuthError, SandboxError: what the application needs is not there; the message says what to do.
        KeyboardInterrupt: after a graceful end by SIGINT.
    """
    from server.app import create_app  # the rest of the command line starts faster without the application

    with _listen(host, port) as listener:
        configure_logging(settings)
        app = create_app(settings)
        config = _server_config(app, settings)
        url = _url_of(listener)
        # uvicorn raises a stopping signal again when it is done; SIGTERM must not kill what already ended well.
        signal.signal(signal.SIGTERM, lambda _signum, _frame: None)
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored, and means it
            signal.signal(signal.SIGHUP, lambda _signum, _frame: signal.raise_signal(signal.SIGTERM))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(app, _Server(config, app, lambda: _announce(url, announce)), listener))


def _announce(url: str, announce: Announce) -> None:
    log.info("listening", url=url)
    announce(url)


class _Server(uvicorn.Server):
    """uvicorn's server, telling when it answers, and telling the application at once when it begins to stop."""

    def __init__(self, config: uvicorn.Config, app: "FastAPI", announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.services.stop_admitting()
        await super().shutdown(sockets)


async def _serve(app: "FastAPI", server: uvicorn.Server, listener: socket.socket) -> None:
    # The lifespan is entered here, not by uvicorn, so that its typed errors arrive as such; a signal that comes
    # meanwhile ends the server in good order as soon as the lifespan is up.
    with server.capture_signals():
        async with app.router.lifespan_context(app):
            keep_loop_free()
            await server.serve(sockets=[listener])


def _server_config(app: "FastAPI", settings: Settings) -> uvicorn.Config:
    from server.services import LAST_WORDS_S  # as late as the application itself

    files_max = raise_descriptor_limit()
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=bounded_protocol(min(CONNECTIONS_MAX, files_max // 2)),  # type: ignore[arg-type] # only called
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        # Interrupted runs are still settled and answered after the grace.
        timeout_graceful_shutdown=settings.shutdown_grace_s + int(LAST_WORDS_S) + 1,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as exc:
        raise CliError(f"cannot listen on {host}: {exc.strerror or exc}") from exc
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Before anything is started, so that a second server finds out at once.
        listener.listen(BACKLOG)
    except OSError as exc:
        listener.close()
        raise CliError(
            f"cannot listen on {host} port {port}: {exc.strerror or exc}",
            hint="stop what listens there, or choose another --port (0 takes a free one)",
        ) from exc
    listener.setblocking(False)
    return listener


def _url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
