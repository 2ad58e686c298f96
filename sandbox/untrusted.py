"""Reading what a sandbox says: every byte of it is hostile until it went through here."""

import json
from typing import Any

from sandbox.json_text import finite, has_more_values, is_deeper
from sandbox.types import ProgramError, Refusal

TEXT_CHARS_MAX = 4_000
GLOVE_CHARS_MAX = 64
DEPTH_MAX = 210  # a little above what an honest child lets pass
# Objects, lists, members and items. Parsing holds up everything else, some 25 ms for the most that a result may have.
RESULT_VALUES_MAX = 100_000
VALUES_MAX = 20_000
CALL_REFUSED = f"the arguments of a call have more than {VALUES_MAX:,} values: send less, or text"
LOG_LEFT_OUT = f"(a line was left out: its fields have more than {VALUES_MAX:,} values)"
_LINE_MAX = 10_000_000
_UNREADABLE = ProgramError("Error", "the process told of its failure in a way that cannot be read")


class UnreadableError(Exception):
    """These bytes are not what they should be."""


class CrowdedError(UnreadableError):
    """They may be, but have more values than are read."""


def clean_text(text: str) -> str:
    """Text that every store and client takes: no NUL, no lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def clean_json(value: Any) -> Any:
    """The JSON value with every text cleaned."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): clean_json(item) for key, item in value.items()}
    return [clean_json(item) for item in value] if isinstance(value, list) else value


def read_result(payload: bytes) -> Any:
    """The JSON value of a result.

    Raises UnreadableError for what is not strict JSON, nested too deeply, or has NUL, surrogates, endless numbers or
    more than `RESULT_VALUES_MAX` values.
    """
    value = _read_json(payload, RESULT_VALUES_MAX)
    if _may_need_cleaning(payload) and clean_json(value) != value:
        raise UnreadableError("text with a NUL character or a lone surrogate")
    return value


def read_log(payload: bytes) -> tuple[str, dict[str, Any]]:
    """Message and fields of a log line, cleaned. Raises UnreadableError, CrowdedError beyond `VALUES_MAX` values."""
    record = _read_object(payload)
    try:
        message, fields = record["message"], record["fields"]
    except KeyError as error:
        raise UnreadableError("not a log line") from error
    if not isinstance(message, str) or not isinstance(fields, dict):
        raise UnreadableError("not a log line")
    if _may_need_cleaning(payload):
        return clean_text(message), clean_json(fields)
    return message, fields


def read_call(payload: bytes) -> tuple[str, dict[str, Any]]:
    """Glove and arguments of a glove call, cleaned. Raises UnreadableError, CrowdedError beyond `VALUES_MAX` values."""
    record = _read_object(payload)
    try:
        glove, arguments = record["glove"], record["arguments"]
    except KeyError as error:
        raise UnreadableError("not a glove call") from error
    if not isinstance(glove, str) or len(glove) > GLOVE_CHARS_MAX or not isinstance(arguments, dict):
        raise UnreadableError("not a glove call")
    return glove, clean_json(arguments) if _may_need_cleaning(payload) else arguments


def read_error(payload: bytes) -> ProgramError:
    """An error as a child tells it, every field checked and cut; a plain one when it cannot be read."""
    try:
        told = _read_json(payload)
        return ProgramError(
            type=clean_text(str(told["type"]))[:200],
            message=clean_text(str(told["message"]))[:TEXT_CHARS_MAX],
            line=_read_line(told.get("line")),
            traceback=clean_text(str(told.get("traceback", "")))[:TEXT_CHARS_MAX],
        )
    except (UnreadableError, KeyError, TypeError, AttributeError):
        return _UNREADABLE


def says(payload: bytes, name: str) -> bool:
    """Whether an object's member is true. What cannot be read says nothing."""
    try:
        return _read_json(payload)[name] is True
    except (UnreadableError, KeyError, IndexError, TypeError):
        return False


def read_refusals(payload: bytes) -> tuple[Refusal, ...]:
    """The refusals of a policy check, at most 100. Raises UnreadableError."""
    try:
        return tuple(
            Refusal(
                _read_line(row["line"]) or 1,
                _read_line(row["column"]) or 1,
                clean_text(str(row["construct"]))[:200],
                clean_text(str(row["message"]))[:TEXT_CHARS_MAX],
            )
            for row in _read_json(payload)[:100]
        )
    except (KeyError, TypeError) as error:
        raise UnreadableError("not a list of refusals") from error


def _read_line(line: object) -> int | None:
    return line if isinstance(line, int) and 0 < line < _LINE_MAX else None


def _read_object(payload: bytes) -> Any:
    if not payload.startswith(b"{"):  # before it is counted: too many values of something else is no excuse
        raise UnreadableError("not an object")
    return _read_json(payload)


def _read_json(payload: bytes, values_max: int = VALUES_MAX) -> Any:
    if has_more_values(payload, values_max):
        raise CrowdedError(f"more than {values_max:,} values")
    try:
        value = json.loads(payload.decode(), parse_constant=_refuse_constant, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("not JSON") from error
    # Whoever walks the value later, here or elsewhere, may recurse.
    if payload.count(b"[") + payload.count(b"{") > DEPTH_MAX and is_deeper(value, DEPTH_MAX):
        raise UnreadableError(f"nested deeper than {DEPTH_MAX} levels")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _may_need_cleaning(payload: bytes) -> bool:
    """Whether an escape in the JSON text may stand for NUL or a surrogate; the bytes themselves are valid UTF-8."""
    return b"\\u0000" in payload or b"\\ud" in payload or b"\\uD" in payload
