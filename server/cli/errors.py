"""How a command fails: in one line, with what to do and a stable exit status.

CliError                        exit 1
├── NotAuthenticatedError       exit 3, no usable token
├── ServerUnreachableError      exit 1, nothing answered at GLOVEBOX_URL
└── ProblemError                exit by the answer's status; the server refused or failed
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit statuses of every command. 2, wrong usage, and 130, interrupted, are the argument parser's."""

    FAILURE = 1
    AUTH = 3
    NOT_FOUND = 4
    CONFLICT = 5
    CREDITS_OR_RATE = 6


EXIT_BY_STATUS = {
    401: Exit.AUTH,
    402: Exit.CREDITS_OR_RATE,
    403: Exit.AUTH,
    404: Exit.NOT_FOUND,
    409: Exit.CONFLICT,
    412: Exit.CONFLICT,
    428: Exit.CONFLICT,
    429: Exit.CREDITS_OR_RATE,
}

HINT_BY_STATUS = {
    401: "sign in: glovebox login --email EMAIL; or: export GLOVEBOX_TOKEN=$(glovebox token --user UUID)",
    402: "see the balance with `glovebox credits show`; an operator grants more with `glovebox credits grant`",
    403: "the token belongs to another user than the one in the path",
}


class CliError(Exception):
    """A command failed. The message is one line for people.

    Attributes:
        hint: what to do about it, None when the message says so.
        exit_code: what the process ends with.
    """

    def __init__(self, message: str, *, hint: str | None = None, exit_code: Exit = Exit.FAILURE) -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_code = exit_code


class NotAuthenticatedError(CliError):
    """There is no token, or one that cannot be a token."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint=HINT_BY_STATUS[401], exit_code=Exit.AUTH)


class ServerUnreachableError(CliError):
    """Nothing answered at GLOVEBOX_URL in time."""

    def __init__(self, base_url: str, reason: str) -> None:
        super().__init__(
            f"no answer from {base_url}: {reason}",
            hint="start a server with `glovebox serve`, or point GLOVEBOX_URL at one",
        )


class ProblemError(CliError):
    """The server answered with a problem document (RFC 9457).

    Attributes:
        status: HTTP status.
        problem: the document, empty when the answer was none.
        run_id: the run that ended so, None when nothing ran.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], run_id: str | None = None) -> None:
        code = problem.get("code")
        detail = problem.get("detail") or problem.get("title") or "the server answered without saying why"
        message = f"{detail} [{code}]" if code else f"{detail} [HTTP {status}]"
        hint = HINT_BY_STATUS.get(status)
        exit_code = EXIT_BY_STATUS.get(status, Exit.FAILURE)
        if run_id is not None:  # an agent's own outcome, whatever its status resembles
            hint, exit_code = f"see what it logged: glovebox agents logs --run {run_id}", Exit.FAILURE
        super().__init__(message, hint=hint, exit_code=exit_code)
        self.status = status
        self.problem = problem
        self.run_id = run_id
