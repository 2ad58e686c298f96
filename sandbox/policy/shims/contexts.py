"""`contextlib` pieces that tell a program of the exception, not of the frames it came through."""

import contextlib
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any

__all__ = ["ExitStack", "contextmanager"]


class _GeneratorContextManager(contextlib._GeneratorContextManager[Any]):
    """Throws the exception alone: an iterator of the program's own would be given the traceback with it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        suppressed = super().__exit__(kind, error, None)
        if error is not None and not suppressed:
            error.__traceback__ = traceback  # the author's line is still to be told
        return suppressed


def contextmanager(function: Callable[..., Any]) -> Callable[..., Any]:
    """`contextlib.contextmanager`; the function is given the exception without its traceback."""

    @wraps(function)
    def manage(*args: Any, **kwargs: Any) -> _GeneratorContextManager:
        return _GeneratorContextManager(function, args, kwargs)

    return manage


class ExitStack(contextlib.ExitStack[bool | None]):
    """`contextlib.ExitStack`; callbacks get None for the traceback."""

    # Every way to add a callback ends here, also those that a program reaches through `super`.
    def _push_exit_callback(self, callback: Callable[..., Any], is_sync: bool = True) -> None:
        def without_traceback(kind: Any, error: Any, traceback: Any) -> Any:
            return callback(kind, error, None)

        super()._push_exit_callback(without_traceback, is_sync)  # type: ignore[misc]  # not in the stubs
