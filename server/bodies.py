"""Request bodies and queries from strangers: bounded in size, time, depth and parsing cost, and read one way only."""

import asyncio
import json
import math
import re
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from starlette.requests import Request

from server.errors import BodyTooLargeError, BodyTooSlowError, InvalidRequestError, QueryTooLongError
from server.offload import offload

BODY_BYTES_MAX = 1024 * 1024
BODY_MS_MAX = 30_000
QUERY_BYTES_MAX = 16 * 1024
QUERY_FIELDS_MAX = 1_000
DEPTH_MAX = 64
INLINE_BYTES_MAX = 32 * 1024  # parsing this much holds the event loop for about 2 ms

_UNSTORABLE_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


async def read_body(request: Request, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """The whole body.

    Raises:
        BodyTooLargeError: more than `bytes_max` bytes were announced or came; the rest is not read.
        BodyTooSlowError: it did not end within `BODY_MS_MAX`.
    """
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
    except TimeoutError as exc:
        raise BodyTooSlowError(BODY_MS_MAX) from exc
    return bytes(body)


async def read_object(request: Request, bytes_max: int = BODY_BYTES_MAX) -> dict[str, Any]:
    """The body as one JSON object. Raises as `read_body`, and InvalidRequestError when it is anything else."""
    body = await read_body(request, bytes_max)
    value = parse_json(body) if len(body) <= INLINE_BYTES_MAX else await offload(lambda: parse_json(body))
    if not isinstance(value, dict):
        raise InvalidRequestError("The body must be a JSON object.")
    return value


def parse_json(body: bytes) -> Any:
    """Parse JSON text that may be hostile.

    Returns:
        The value: every object's names are distinct, every number finite, nesting at most `DEPTH_MAX` deep, and every
        string storable as PostgreSQL text (no NUL, no lone surrogates).

    Raises:
        InvalidRequestError: it is not such a value.

    Source: RFC 8259 sections 4, 6 and 8.
    """
    try:
        value = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_constant, parse_float=_finite)
    except UnicodeDecodeError as exc:
        raise InvalidRequestError("The body is not UTF-8.") from exc
    except json.JSONDecodeError as exc:
        raise InvalidRequestError(f"The body is not JSON: {exc.msg} at line {exc.lineno} column {exc.colno}.") from exc
    except RecursionError as exc:
        raise InvalidRequestError(f"The body is nested more than {DEPTH_MAX} deep.") from exc
    except ValueError as exc:  # by the hooks below, or an integer of too many digits
        raise InvalidRequestError(f"The body is not JSON that can be read one way only: {exc}.") from exc
    _refuse_depth(value)
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


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _refuse_depth(value: Any) -> None:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEPTH_MAX):
        if not level:
            return
        level = [item for container in level for item in _items(container) if isinstance(item, (dict, list))]
    if level:
        raise InvalidRequestError(f"The body is nested more than {DEPTH_MAX} deep.")


def _refuse_unstorable(value: Any) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str) and _UNSTORABLE.search(item):
            raise InvalidRequestError("The body holds a NUL character or half a surrogate pair.")
        if isinstance(item, dict):
            pending.extend(item.keys())
        if isinstance(item, (dict, list)):
            pending.extend(_items(item))


def _items(container: dict[str, Any] | list[Any]) -> Any:
    return container.values() if isinstance(container, dict) else container
