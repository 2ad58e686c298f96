"""Turns what the Data API answers and what its client raises into this package's errors, by code, where it enters."""

from dataclasses import dataclass

from httpx import ConnectError, ConnectTimeout, HTTPError, PoolTimeout, Response, codes
from postgrest import APIError

from agents_store.errors import (
    SchemaMismatchError,
    StoreError,
    StoreMisconfiguredError,
    StoreUnavailableError,
    TokenRefusedError,
)

MIGRATE = "run `glovebox db migrate`, or `supabase db push --workdir agents_store`"
_BY_MIGRATION = f"the project's schema does not fit this release: {MIGRATE}"
# The request reached no transaction, or one that was rolled back: PostgREST's errors of group 0, a serialization
# failure and a deadlock. Source: PostgREST, error codes; PostgreSQL, appendix A.
_NOTHING_RAN = frozenset({"PGRST000", "PGRST001", "PGRST002", "PGRST003", "40001", "40P01"})
# Not in PostgREST's cache of the schema, or not in the schema: function, table, column.
_NOT_THERE = frozenset({"PGRST202", "PGRST203", "PGRST204", "PGRST205", "PGRST106", "42883", "42P01", "42703", "3F000"})
_NO_RIGHT = frozenset({"42501", "403"})
_KEY_REFUSED = "the project refuses SUPABASE_SECRET_KEY: set the secret key of this project"
_VALUE_CLASSES = ("22", "23")
_UNAVAILABLE_CLASSES = ("08", "53", "55", "57", "58", "25", "40", "XX")


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that failed: what to raise, and whether it certainly changed nothing, so that it may be sent again."""

    error: Exception
    changed_nothing: bool


class UnauthorizedError(Exception):
    """The gateway or the Data API does not take the key or the token. Its answer need not have a code."""


async def refuse_unauthorized(response: Response) -> None:
    """A hook of the HTTP client, which sees the status that the client of the Data API does not pass on.

    Raises:
        UnauthorizedError: the status is 401.
    """
    if response.status_code == codes.UNAUTHORIZED:
        raise UnauthorizedError


class RefusedValueError(ValueError):
    """The database refused a value.

    Attributes:
        constraint: the constraint that refused it, None where it was another reason.
        sqlstate: its class and condition.
    """

    def __init__(self, sqlstate: str, constraint: str | None) -> None:
        super().__init__(f"the database refuses this value ({constraint or sqlstate})")
        self.sqlstate = sqlstate
        self.constraint = constraint


def failure_of(error: Exception, *, as_user: bool) -> Failure:
    """What a request's failure means.

    Args:
        error: what the client raised.
        as_user: whether the request carried a user's token rather than the server's key.
    """
    if isinstance(error, UnauthorizedError):
        return Failure(TokenRefusedError() if as_user else StoreMisconfiguredError(_KEY_REFUSED), changed_nothing=True)
    if isinstance(error, APIError):
        return _answered(error)
    if isinstance(error, HTTPError):
        unsent = isinstance(error, ConnectError | ConnectTimeout | PoolTimeout)
        return Failure(StoreUnavailableError("the project's Data API cannot be reached"), changed_nothing=unsent)
    return Failure(StoreError("the project's Data API answered with something else"), changed_nothing=False)


def _answered(error: APIError) -> Failure:
    code = error.code or ""
    if code in _NOTHING_RAN:
        return Failure(StoreUnavailableError("the project's database is too busy"), changed_nothing=True)
    return Failure(_meaning(code), changed_nothing=False)


def _meaning(code: str) -> Exception:
    if code in _NOT_THERE:
        return SchemaMismatchError(_BY_MIGRATION)
    if code in _NO_RIGHT:
        return StoreMisconfiguredError(f"the project's API role lacks a right: {MIGRATE}, and set SUPABASE_SECRET_KEY")
    if len(code) == 5 and code.startswith(_VALUE_CLASSES):
        return RefusedValueError(code, None)
    if code in ("429", "520") or code.startswith("5") or (len(code) == 5 and code.startswith(_UNAVAILABLE_CLASSES)):
        return StoreUnavailableError("the project's database cannot be reached or is too busy")
    return StoreError(f"the project's Data API answered {code or 'nothing'}")
