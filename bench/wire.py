"""HTTP/1.1 over kept-alive sockets, with as little time of our own in it as Python allows."""

import json
import socket
from types import TracebackType
from typing import Self

ANSWER_S_MAX = 120.0
_READ_BYTES = 65_536
_NO_CONTENT = 204


def build_request(method: str, path: str, token: str | None = None, body: object = None) -> bytes:
    """The bytes of one request; `body` is sent as JSON unless it is None."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def read_answer(received: bytes | bytearray) -> tuple[int, int] | None:
    """Status and length in bytes of the answer at the beginning, None while it is not whole.

    Raises:
        ValueError: it does not tell its length, which answers of every server measured here do.
    """
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    status = int(received[9:12])
    head = bytes(received[:head_end]).lower()
    _, named, value = head.partition(b"\r\ncontent-length:")
    if not named and status != _NO_CONTENT:
        raise ValueError(f"an answer without Content-Length: {head[:200]!r}")
    length = head_end + 4 + (int(value.partition(b"\r\n")[0]) if named else 0)
    return (status, length) if len(received) >= length else None


def dial(host: str, port: int) -> socket.socket:
    """A connected socket that sends at once."""
    dialled = socket.create_connection((host, port), timeout=ANSWER_S_MAX)
    dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return dialled


class Connection:
    """One kept-alive connection with one request at a time. Close it, or use it as a context."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = dial(host, port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer.

        Raises:
            OSError: the connection broke, or nothing came for `ANSWER_S_MAX`.
            ValueError: see `read_answer`.
        """
        self._socket.sendall(request)
        received = bytearray()
        while (answer := read_answer(received)) is None:
            some = self._socket.recv(_READ_BYTES)
            if not some:
                raise ConnectionError("the server ended the connection")
            received += some
        status, length = answer
        body_start = received.find(b"\r\n\r\n") + 4
        return status, bytes(received[body_start:length])
