"""What a child tells of an agent's failure: built from types and text only, never from objects."""

import math
from collections.abc import Callable, Iterable
from itertools import groupby
from types import TracebackType

AGENT_FILE = "agent.py"
MESSAGE_CHARS_MAX = 2000
TRACEBACK_LINES_MAX = 20
RESULT_DEPTH_MAX = 200


def describe_error(error: BaseException, author_name: Callable[[str], str]) -> dict[str, object]:
    """Type, message, the author's line and the author's own frames of an uncaught exception.

    Args:
        error: what was raised.
        author_name: gives names in a text back as the author wrote them.
    """
    frames = _author_frames(error.__traceback__)
    line = frames[-1][0] if frames else None
    if isinstance(error, SyntaxError) and error.filename == AGENT_FILE:
        line = error.lineno
    shown = _fold(f"line {number}, in {name}" for number, name in frames)[-TRACEBACK_LINES_MAX:]
    return {
        "type": author_name(type(error).__name__),
        "message": author_name(_message(error)[:MESSAGE_CHARS_MAX]),
        "line": line,
        "traceback": author_name("\n".join(shown)),
    }


def _fold(lines: Iterable[str]) -> list[str]:
    counted = [(line, sum(1 for _ in same)) for line, same in groupby(lines)]
    return [line if count == 1 else f"{line} ({count} times)" for line, count in counted]


def _author_frames(traceback: TracebackType | None) -> list[tuple[int, str]]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == AGENT_FILE:
            frames.append((traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    return frames


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the agent's own `__str__` may do anything
        return ""


def find_fault(value: object, name: str = "result") -> str | None:
    """Why `value`, called `name`, is not JSON, naming the path of the first offence, or None when it is."""
    try:
        return _find_fault(value, name, 0)
    except RecursionError:
        return f"{name} is nested too deeply"


def _find_fault(value: object, path: str, depth: int) -> str | None:
    if depth > RESULT_DEPTH_MAX:
        return f"{path[:200]}: nested deeper than {RESULT_DEPTH_MAX} levels, or contains itself"
    if isinstance(value, str):
        return _find_text_fault(value, path)
    if value is None or isinstance(value, bool | int):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{path}: {value!r} is not JSON"
    if isinstance(value, dict):
        return _find_dict_fault(value, path, depth)
    if isinstance(value, list | tuple):
        faults = (_find_fault(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value))
        return next((fault for fault in faults if fault), None)
    return f"{path}: {type(value).__name__} is not JSON"


def _find_dict_fault(value: dict[object, object], path: str, depth: int) -> str | None:
    for key, item in value.items():
        if not isinstance(key, str):
            return f"{path}: the key {key!r:.80} is not text; JSON objects have text keys"
        fault = _find_text_fault(key, f"{path}: key") or _find_fault(item, f"{path}[{key!r:.80}]", depth + 1)
        if fault:
            return fault
    return None


def _find_text_fault(text: str, path: str) -> str | None:
    if text.isascii():
        return f"{path}: text with a NUL character" if "\0" in text else None
    if "\0" in text:
        return f"{path}: text with a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"{path}: text with a lone surrogate"
    return None
