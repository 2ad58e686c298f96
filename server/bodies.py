"""Request bodies and queries from strangers: bounded in size, time, depth and parsing cost, and read one way only."""

import asyncio
import json
import re
from collections import Counter
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request

from sandbox.json_text import finite, has_more_values, is_deeper, items_of
from sandbox.offload import compute
from server.errors import (
    BodyEncodedError,
    BodyTooLargeError,
    BodyTooSlowError,
    InvalidRequestError,
    QueryTooLongError,
    ServerBusyError,
    UserBytesError,
)

BODY_BYTES_MAX = 1024 * 1024
BODY_MS_MAX = 30_000
QUERY_BYTES_MAX = 16 * 1024
QUERY_FIELDS_MAX = 1_000
DEPTH_MAX = 64
BODY_HOLD_KEY = "glovebox.body_hold"
# Objects, lists, members and items. The parser is one call that lets nothing else run: this keeps it, and whatever goes
# over its value later, within some 10 ms.
VALUES_MAX = 20_000
INTEGER_CHARS_MAX = 400  # reading one takes the square of its digits

_UNSTORABLE_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class BodyBudget:
    """How many bytes of bodies this process takes at once, from their first byte until their request is answered."""

    def __init__(self, *, user_bytes_max: int, bytes_max: int) -> None:
        self._user_bytes_max = user_bytes_max
        self._left = bytes_max
        self._users: Counter[UUID] = Counter()

    def hold(self, user_id: UUID) -> "BodyHold":
        """One request's part of it, nothing so far."""
        return BodyHold(self, user_id)

    def take(self, user_id: UUID, size: int) -> None:
        """Count `size` bytes more. Raises UserBytesError, ServerBusyError: nothing was counted."""
        if self._users[user_id] + size > self._user_bytes_max:
            raise UserBytesError(self._user_bytes_max)
        if size > self._left:
            raise ServerBusyError
        self._users[user_id] += size
        self._left -= size

    def give_back(self, user_id: UUID, size: int) -> None:
        """Count `size` bytes less."""
        self._left += size
        self._users[user_id] -= size
        if self._users[user_id] <= 0:
            del self._users[user_id]


class BodyHold:
    """What one request holds of the budget. Release it when the request is done with all that came of its body."""

    def __init__(self, budget: BodyBudget, user_id: UUID) -> None:
        self._budget = budget
        self._user_id = user_id
        self._held = 0

    def take(self, size: int) -> None:
        """Count `size` bytes more. Raises UserBytesError, ServerBusyError."""
        self._budget.take(self._user_id, size)
        self._held += size

    def release(self) -> None:
        """Give everything back. Idempotent."""
        if self._held:
            self._budget.give_back(self._user_id, self._held)
            self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


async def read_body(request: Request, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """The whole body, counted by the hold that the request's scope has under `BODY_HOLD_KEY`.

    Raises:
        BodyEncodedError: it has a Content-Encoding.
        BodyTooLargeError: more than `bytes_max` bytes were announced or came; the rest is not read.
        BodyTooSlowError: it did not end within `BODY_MS_MAX`.
        UserBytesError, ServerBusyError: the caller, or this process, holds too many bytes.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise BodyEncodedError
    hold: BodyHold | None = request.scope.get(BODY_HOLD_KEY)
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and (len(announced) > 12 or int(announced) > bytes_max):
        raise BodyTooLargeError(bytes_max)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_MS_MAX / 1000):
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise BodyTooLargeError(bytes_max)
                if hold is not None:
                    hold.take(len(chunk))
    except TimeoutError as exc:
        raise BodyTooSlowError(BODY_MS_MAX) from exc
    return bytes(body)


async def read_object(request: Request, bytes_max: int = BODY_BYTES_MAX) -> dict[str, Any]:
    """The body as one JSON object. Raises as `read_body`, and InvalidRequestError when it is anything else."""
    body = await read_body(request, bytes_max)
    value = await compute(lambda: parse_json(body), len(body))
    if not isinstance(value, dict):
        raise InvalidRequestError("The body must be a JSON object.")
    return value


def parse_json(body: bytes) -> Any:
    """Parse JSON text that may be hostile.

    Returns:
        The value: every object's names are distinct, every number finite, nesting at most `DEPTH_MAX` deep, some
        `VALUES_MAX` values at most, and every string storable as PostgreSQL text (no NUL, no lone surrogates).

    Raises:
        InvalidRequestError: it is not such a value.

    Source: RFC 8259 sections 4, 6 and 8.
    """
    if has_more_values(body, VALUES_MAX):
        raise InvalidRequestError(f"The body has more than {VALUES_MAX} values; nest less, or send fewer.")
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_object, parse_constant=_constant, parse_float=finite, parse_int=_whole
        )
    except UnicodeDecodeError as exc:
        raise InvalidRequestError("The body is not UTF-8.") from exc
    except json.JSONDecodeError as exc:
        raise InvalidRequestError(f"The body is not JSON: {exc.msg} at line {exc.lineno} column {exc.colno}.") from exc
    except RecursionError as exc:
        raise InvalidRequestError(f"The body is nested more than {DEPTH_MAX} deep.") from exc
    except ValueError as exc:  # by the hooks below
        raise InvalidRequestError(f"The body is not JSON that can be read one way only: {exc}.") from exc
    if is_deeper(value, DEPTH_MAX):
        raise InvalidRequestError(f"The body is nested more than {DEPTH_MAX} deep.")
    if _UNSTORABLE_ESCAPE.search(body):
        _refuse_unstorable(value)
    return value


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """The query's decoded pairs, in order, blank values kept.

    Raises:
        QueryTooLongError: more than `QUERY_BYTES_MAX` bytes.
        InvalidRequestError: too many fields, not UTF-8, or a NUL in it.
    """
    query: bytes = request.scope["query_string"]
    if not query:
        return []
    if len(query) > QUERY_BYTES_MAX:
        raise QueryTooLongError(QUERY_BYTES_MAX)
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=QUERY_FIELDS_MAX
        )
    except UnicodeDecodeError as exc:
        raise InvalidRequestError("The query is not percent-encoded UTF-8.") from exc
    except ValueError as exc:
        raise InvalidRequestError(f"The query has more than {QUERY_FIELDS_MAX} fields.") from exc
    if any("\x00" in name or "\x00" in value for name, value in pairs):
        raise InvalidRequestError("The query holds a NUL character.")
    return pairs


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object names a member twice")
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _whole(text: str) -> int:
    if len(text) > INTEGER_CHARS_MAX:
        raise ValueError(f"an integer has more than {INTEGER_CHARS_MAX} digits")
    return int(text)


def _refuse_unstorable(value: Any) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str) and _UNSTORABLE.search(item):
            raise InvalidRequestError("The body holds a NUL character or half a surrogate pair.")
        if isinstance(item, dict):
            pending.extend(item.keys())
        if isinstance(item, (dict, list)):
            pending.extend(items_of(item))
