"""The guest's end of the channel during one run: log lines and glove calls out, answers in, and last the result.

Everything here serves honest programs; the host believes none of it.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from sandbox.guest.frames import Kind, read_frame, write_frame
from sandbox.guest.report import RESULT_DEPTH_MAX, describe_error, find_fault

_FAULTS: Mapping[str, type[Exception]] = {
    fault.__name__: fault
    for fault in (PermissionError, TimeoutError, ConnectionError, LookupError, ValueError, RuntimeError)
}
_RESULT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_TAKES_ANY = inspect.CO_VARARGS


class Exchange:
    """Speaks for one run over a blocking descriptor."""

    def __init__(self, channel: int) -> None:
        self._channel = channel

    def log(self, message: str, fields: Mapping[str, object] | None = None) -> None:
        """Send one log line; what is no JSON in its fields goes as its `repr`."""
        fields = fields or {}
        try:
            text = json.dumps({"message": message, "fields": fields}, default=repr, skipkeys=True, allow_nan=False)
        except (ValueError, RecursionError):  # NaN, or a value that contains itself
            text = ""
        if not text or text.count("[") + text.count("{") > RESULT_DEPTH_MAX:  # perhaps deeper than the host reads
            text = json.dumps({"message": message, "fields": {name: repr(value) for name, value in fields.items()}})
        write_frame(self._channel, Kind.LOG, text.encode())

    def call(self, glove: str, arguments: Mapping[str, object]) -> Any:
        """Ask the host for one thing and wait for its answer, as JSON gives it.

        Raises the built-in exception that the host names, and ValueError for arguments that are no JSON.
        """
        fault = find_fault(arguments, "argument")
        if fault is not None:
            raise ValueError(f"ctx.{glove}: {fault}")
        write_frame(self._channel, Kind.CALL, _encode({"glove": glove, "arguments": arguments}))
        answer = json.loads(read_frame(self._channel)[1])
        if "error" in answer:
            raise _FAULTS.get(answer["error"]["type"], RuntimeError)(answer["error"]["message"])
        return answer["value"]

    def value(self, value: object) -> None:
        """Send the result, or why it is none."""
        fault = find_fault(value)
        if fault is None:
            try:
                text = _RESULT.encode(value).encode()
            except (TypeError, ValueError) as error:
                fault = str(error)
            else:
                write_frame(self._channel, Kind.VALUE, text)
                return
        write_frame(self._channel, Kind.BAD_RESULT, _encode({"type": "BadResult", "message": fault}))

    def error(self, error: BaseException, author_name: Callable[[str], str] = str) -> None:
        """Send what the program raised. `author_name` gives names in a text back as the author wrote them."""
        write_frame(self._channel, Kind.ERROR, _encode(describe_error(error, author_name)))

    def randomness(self) -> None:
        """Tell that the run cannot be repeated from its seed. At most once, before the result."""
        write_frame(self._channel, Kind.RANDOMNESS)


def call_run(run: Any, inputs: object, context: object) -> object:
    """Call the program's `run` with as many of `inputs` and `context` as it takes."""
    if type(run) is FunctionType and not run.__dict__:  # what `signature` would find out, for a hundredth of its cost
        code = run.__code__
        return run(*(inputs, context)[: 2 if code.co_flags & _TAKES_ANY else code.co_argcount])
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(run).parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return run(inputs, context)
    count = sum(parameter.kind in positional for parameter in parameters)
    return run(*(inputs, context)[:count])


def _encode(value: object) -> bytes:
    return json.dumps(value).encode()
