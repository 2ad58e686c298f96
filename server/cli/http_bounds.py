"""What one connection may ask of the server that no application sees: bytes and time of heads, time of all the rest."""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from server.cli.connections import Connections, Waiting

HEAD_BYTES_MAX = 128 * 1024  # the application refuses far smaller heads, with a problem document
HEAD_TIMEOUT_S = 15.0
UNREAD_BODY_S_MAX = 10.0  # how long a client that was answered may go on sending its body
STALL_S = 20.0
STALL_BYTES_MIN = 64 * 1024  # what a client takes of its answer in `STALL_S`, or all of it
STREAM_STALLS_MAX = 20  # an answer that is still being made has bounds of its own, of 6 minutes at most
RETRY_AFTER_S = 1


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol where nothing waits for a client without end.

    uvicorn waits for ever for a head, for the rest of a body whose request was answered, for an answer to be taken, and
    on a kept-alive connection after any byte that begins no request; its parser gathers header bytes without end.

    Source: httptools 0.9, `HttpParser._on_header_field`; CWE-400, CVE-2007-6750 (slow heads), CVE-2011-1512 (answers
    that nobody takes).
    """

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _rest_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None
    _stalls = 0
    _untaken_bytes = 0
    _drained = False
    _message_open = False

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        all_connections: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all = all_connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head, where there is room."""
        super().connection_made(transport)
        if self._all.admit(self):
            self._await_head()
        else:
            self._refuse(503)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        for timer in (self._rest_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        self._all.forget(self)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Wait for this head; on a connection that is kept alive nothing waits between requests but keep-alive."""
        super().on_message_begin()
        self._message_open = True
        self._await_head()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole, which whoever answered before that no longer waits for."""
        super().on_message_complete()
        self._message_open = False
        if self._rest_timer is not None:
            self._rest_timer.cancel()
            self._rest_timer = None
            self._await_head()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and refuse a head that is not whole by `HEAD_BYTES_MAX`."""
        awaited = self._head_timer
        super().data_received(data)
        if self.transport.is_closing():
            return
        # Where the wait began within this piece, most of it may be the body before.
        if awaited is not None and awaited is self._head_timer:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(431)
                return
        waiting = self._waits_for()
        if waiting is Waiting.REQUEST and self.timeout_keep_alive_task is None:
            self._await_head()  # these bytes began no request, and ended keep-alive
            waiting = Waiting.HEAD
        self._all.note(self, waiting)

    def on_response_complete(self) -> None:
        """See the client take its answer, and end its body, or its next request come."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._watch_taking()
        if self.transport.is_closing():
            return
        if self._message_open and self.cycle.response_complete and self._head_timer is None:
            self._rest_timer = self.loop.call_later(UNREAD_BODY_S_MAX, self.transport.abort)
        self._all.note(self, self._waits_for())

    def pause_writing(self) -> None:
        """The client takes its answer more slowly than it is made."""
        super().pause_writing()
        self._watch_taking()

    def resume_writing(self) -> None:
        """The client took nearly all that there was."""
        super().resume_writing()
        self._drained = True

    def give_way(self, waiting: Waiting) -> None:
        """End for a newcomer's sake."""
        if waiting is Waiting.HEAD or (waiting is Waiting.BODY and not self.cycle.response_started):
            self._refuse(503)
        else:
            self.transport.abort()

    def _waits_for(self) -> Waiting | None:
        if self.cycle is not None and not self.cycle.response_complete:
            return Waiting.BODY if self.cycle.more_body else None
        if self._rest_timer is not None or self.transport.get_write_buffer_size():
            return Waiting.ANSWER_TAKEN
        return Waiting.REQUEST if self._head_timer is None else Waiting.HEAD

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_bytes = 0
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._refuse, 408)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _watch_taking(self) -> None:
        if self._stall_timer is None:
            self._stalls, self._drained = 0, False
            self._untaken_bytes = self.transport.get_write_buffer_size()
            self._stall_timer = self.loop.call_later(STALL_S, self._look_at_taking)

    def _look_at_taking(self) -> None:
        """Once per `STALL_S` while some of an answer is not taken."""
        self._stall_timer = None
        left_bytes = self.transport.get_write_buffer_size()
        if not left_bytes:
            if not self.transport.is_closing():
                self._all.note(self, self._waits_for())
            return
        being_made = not self.transport.is_closing() and not self.cycle.response_complete
        taken = self._drained or self._untaken_bytes - left_bytes >= STALL_BYTES_MIN
        self._stalls, self._drained = 0 if taken else self._stalls + 1, False
        if self._stalls >= (STREAM_STALLS_MAX if being_made else 1):
            self.transport.abort()
            return
        self._untaken_bytes = left_bytes
        self._stall_timer = self.loop.call_later(STALL_S, self._look_at_taking)

    def _refuse(self, status: int) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            retry = b"retry-after: %d\r\n" % RETRY_AFTER_S if status == 503 else b""
            self.transport.write(STATUS_LINE[status] + retry + b"connection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()
            self._watch_taking()


def bounded_protocol(connections_max: int) -> Callable[..., BoundedHttpProtocol]:
    """What uvicorn makes for each connection of one process."""
    connections = Connections(connections_max)

    def made(*args: Any, **kwargs: Any) -> BoundedHttpProtocol:
        return BoundedHttpProtocol(*args, **kwargs, all_connections=connections)

    return made
