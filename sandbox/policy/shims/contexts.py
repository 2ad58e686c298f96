"""`contextlib.ExitStack` that tells its callbacks of the exception, not of the frames it came through."""

import contextlib
from collections.abc import Callable
from typing import Any

__all__ = ["ExitStack"]


class ExitStack(contextlib.ExitStack[bool | None]):
    """`contextlib.ExitStack`; callbacks get None for the traceback."""

    # Every way to add a callback ends here, also those that a program reaches through `super`.
    def _push_exit_callback(self, callback: Callable[..., Any], is_sync: bool = True) -> None:
        def without_traceback(kind: Any, error: Any, traceback: Any) -> Any:
            return callback(kind, error, None)

        super()._push_exit_callback(without_traceback, is_sync)  # type: ignore[misc]  # not in the stubs
