"""`logging` in small: every record at or above its logger's level becomes one line of the run's log."""

import sys
from collections.abc import Mapping
from typing import Any

from sandbox.policy.shims.output import write_output

__all__ = [
    *("CRITICAL", "DEBUG", "ERROR", "FATAL", "INFO", "NOTSET", "WARN", "WARNING"),
    *("Formatter", "Logger", "NullHandler", "StreamHandler"),
    *("basicConfig", "critical", "debug", "disable", "error", "exception", "fatal", "getLevelName", "getLogger"),
    *("info", "log", "warning"),
]

CRITICAL = FATAL = 50
ERROR = 40
WARNING = WARN = 30
INFO = 20
DEBUG = 10
NOTSET = 0

_NAMES = {CRITICAL: "CRITICAL", ERROR: "ERROR", WARNING: "WARNING", INFO: "INFO", DEBUG: "DEBUG", NOTSET: "NOTSET"}
_LEVELS = {name: level for level, name in _NAMES.items()} | {"WARN": WARNING, "FATAL": FATAL}
_disabled_level = NOTSET


class Formatter:
    """Accepted where programs set up logging; the log has its own form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Takes what the library's takes."""


class StreamHandler:
    """Accepted where programs set up logging; records go to the log of the run in any case."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Takes what the library's takes."""

    def setLevel(self, level: int | str) -> None:  # noqa: N802 - the library's name
        """Has no effect: the logger's level counts."""

    def setFormatter(self, formatter: object) -> None:  # noqa: N802
        """Has no effect."""


class NullHandler(StreamHandler):
    """Likewise."""


class Logger:
    """A named source of log lines. Its level is its own, or else that of the nearest parent that has one."""

    def __init__(self, name: str, level: int | str = NOTSET, parent: "Logger | None" = None) -> None:
        self.name = name
        self.level = _as_level(level)
        self.parent = parent

    def setLevel(self, level: int | str) -> None:  # noqa: N802
        """Drop records below the level from now on."""
        self.level = _as_level(level)

    def getEffectiveLevel(self) -> int:  # noqa: N802
        """The level that counts."""
        logger: Logger | None = self
        while logger is not None:
            if logger.level:
                return logger.level
            logger = logger.parent
        return NOTSET

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802
        """Whether a record of that level is written."""
        return level > _disabled_level and level >= self.getEffectiveLevel()

    def getChild(self, suffix: str) -> "Logger":  # noqa: N802
        """The logger `name.suffix`."""
        return getLogger(suffix if self is _root else f"{self.name}.{suffix}")

    def addHandler(self, handler: object) -> None:  # noqa: N802
        """Has no effect."""

    def removeHandler(self, handler: object) -> None:  # noqa: N802
        """Has no effect."""

    def hasHandlers(self) -> bool:  # noqa: N802
        """True: records go to the log of the run."""
        return True

    def log(self, level: int, msg: object, *args: Any, exc_info: Any = None, **_: Any) -> None:
        """Write one record; `extra` and `stack_info` are ignored."""
        if self.isEnabledFor(level):
            write_output(f"{getLevelName(level)} {self.name}: {_fill_in(msg, args)}{_describe(exc_info)}")

    def debug(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Write a record of level DEBUG."""
        self.log(DEBUG, msg, *args, **kwargs)

    def info(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Write a record of level INFO."""
        self.log(INFO, msg, *args, **kwargs)

    def warning(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Write a record of level WARNING."""
        self.log(WARNING, msg, *args, **kwargs)

    def error(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Write a record of level ERROR."""
        self.log(ERROR, msg, *args, **kwargs)

    def exception(self, msg: object, *args: Any, exc_info: Any = True, **kwargs: Any) -> None:
        """Write a record of level ERROR with the exception that is being handled."""
        self.log(ERROR, msg, *args, exc_info=exc_info, **kwargs)

    def critical(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Write a record of level CRITICAL."""
        self.log(CRITICAL, msg, *args, **kwargs)

    warn = warning
    fatal = critical

    def __repr__(self) -> str:
        return f"<Logger {self.name} ({getLevelName(self.getEffectiveLevel())})>"


def getLogger(name: str | None = None) -> Logger:  # noqa: N802 - the library's name
    """The logger of that name, always the same one; without a name the root, whose level is INFO."""
    if not name or name == _root.name:
        return _root
    logger = _loggers.get(name)
    if logger is None:
        parent = name.rpartition(".")[0]
        logger = _loggers[name] = Logger(name, parent=getLogger(parent))
    return logger


def getLevelName(level: int | str) -> int | str:  # noqa: N802
    """The level's name, or the named level."""
    return _LEVELS.get(level, f"Level {level}") if isinstance(level, str) else _NAMES.get(level, f"Level {level}")


def basicConfig(*, level: int | str | None = None, **_: Any) -> None:  # noqa: N802
    """Set the root's level; the rest of the library's options have no meaning here."""
    if level is not None:
        _root.setLevel(level)


def disable(level: int | str = CRITICAL) -> None:
    """Drop records at or below the level."""
    global _disabled_level
    _disabled_level = _as_level(level)


def _as_level(level: int | str) -> int:
    if isinstance(level, int):
        return level
    if level not in _LEVELS:
        raise ValueError(f"Unknown level: {level!r}")
    return _LEVELS[level]


def _fill_in(msg: object, args: tuple[Any, ...]) -> str:
    if not args:
        return str(msg)
    values: Any = args[0] if len(args) == 1 and isinstance(args[0], Mapping) and args[0] else args
    try:
        return f"{str(msg) % values}"
    except (TypeError, ValueError, KeyError):  # a wrong log line must not end the run
        return f"{msg} {args!r}"


def _describe(exc_info: Any) -> str:
    error = exc_info if isinstance(exc_info, BaseException) else sys.exception() if exc_info else None
    return "" if error is None else f" ({type(error).__name__}: {error})"


_root = Logger("root", INFO)
_loggers: dict[str, Logger] = {}
debug, info, warning, error = _root.debug, _root.info, _root.warning, _root.error
critical, fatal, exception, log = _root.critical, _root.fatal, _root.exception, _root.log
