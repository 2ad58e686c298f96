"""What crosses between a program and its gloves: checked on the way out, shaped as `ctx` shows it on the way in.

The arguments are objects that the library made from untrusted bytes. Only plain JSON and bytes go further: a range or
a number where a list is expected would have this process build what the program only named.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from sandbox.guest.context import GLOVES
from sandbox.guest.report import RESULT_DEPTH_MAX, find_fault
from sandbox.types import GloveError, GloveFault, JsonValue

_FAULTS: Mapping[GloveFault, type[Exception]] = {
    GloveFault.PERMISSION: PermissionError,
    GloveFault.TIMEOUT: TimeoutError,
    GloveFault.CONNECTION: ConnectionError,
    GloveFault.LOOKUP: LookupError,
    GloveFault.VALUE: ValueError,
    GloveFault.RUNTIME: RuntimeError,
}
_FETCH_OPTIONS = frozenset({"params", "headers", "json"})


def read_arguments(glove: str, told: object, data: object) -> Mapping[str, JsonValue]:
    """The arguments of a glove call as every tier sends them; `data` is the one that may be bytes.

    Raises ValueError and TypeError as `sandbox.guest.context` does for the same call.
    """
    if glove not in GLOVES or not isinstance(told, dict):
        raise ValueError(f"ctx.{glove[:64]} is not known")
    arguments = dict(told)
    if glove == "fetch":
        arguments |= _fetch_options(arguments.pop("options"), data)
    elif glove == "files.write":
        arguments["base64"] = _encoded(data)
    fault = find_fault(arguments, "argument")
    if fault is not None:
        raise ValueError(f"ctx.{glove}: {fault}")
    return arguments


def shown_answer(glove: str, answer: JsonValue) -> Any:
    """An answer as the program's side of `ctx` takes it."""
    if glove == "fetch" and isinstance(answer, Mapping):
        if "text" in answer:
            text = str(answer["text"])
            content = text.encode("utf-8", "replace")
        else:
            content = base64.b64decode(str(answer["base64"]))
            text = content.decode("utf-8", "replace")
        status = answer["status"]
        shown = {"status": status, "ok": isinstance(status, int) and 200 <= status < 300, "url": answer["url"]}
        return {**shown, "headers": answer["headers"], "content": content, "text": text}
    return answer


def find_excess(value: object, bytes_max: int, values_max: int) -> Literal["bytes", "values"] | None:
    """What a value has more of, at the least: bytes of JSON or values. Looks no further than that."""
    bytes_left, values_left = bytes_max, values_max
    pending = [value]
    while pending:
        one = pending.pop()
        bytes_left -= len(one) if isinstance(one, str | bytes) else 1
        if bytes_left < 0:
            return "bytes"
        if isinstance(one, dict | list | tuple | set | frozenset):
            values_left -= len(one)
            if len(one) > bytes_left:
                return "bytes"
            if values_left < 0:
                return "values"
            pending += [*one.keys(), *one.values()] if isinstance(one, dict) else one
    return None


def shown_fields(fields: object) -> tuple[Mapping[str, Any], int]:
    """The named values of a log line as JSON, and how many bytes; what is no JSON goes as its `repr`."""
    if not isinstance(fields, dict) or not fields:
        return {}, 0
    try:
        text = json.dumps(fields, default=repr, skipkeys=True, allow_nan=False)
    except (ValueError, RecursionError):  # NaN, or a value that contains itself
        text = ""
    if not text or text.count("[") + text.count("{") > RESULT_DEPTH_MAX:  # perhaps deeper than a store takes
        text = json.dumps({str(name): repr(value) for name, value in fields.items()})
    return json.loads(text), len(text)


@contextmanager
def faults() -> Iterator[None]:
    """Turn what a glove refuses into the exception that the program meets."""
    try:
        yield
    except GloveError as error:
        raise _FAULTS[error.fault](error.message) from None


def _fetch_options(options: object, data: object) -> dict[str, Any]:
    options = dict(options) if isinstance(options, dict) else {}
    unknown = sorted(set(options) - _FETCH_OPTIONS)
    if unknown:
        raise TypeError(f"fetch() got an unexpected argument {unknown[0]!r}")
    told = {name: value for name, value in options.items() if value is not None or name == "json"}
    if isinstance(data, bytes):
        told["data"] = {"base64": base64.b64encode(data).decode()}
    elif data is not None:
        told["data"] = data
    return told


def _encoded(data: object) -> str:
    if isinstance(data, str):
        data = data.encode()
    if not isinstance(data, bytes):
        raise TypeError("a file's content is text or bytes")
    return base64.b64encode(data).decode()
