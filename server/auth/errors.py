"""What authentication refuses or cannot do.

AuthError
├── UnauthenticatedError        no token, or one that proves nothing
├── TokenRequiredError          an API key proved the caller, and this needs a token
├── IssuerUnavailableError      the issuer's keys were never fetched, so nobody can be told from anybody; safe to retry
├── KeysRefusedError            a published key or key document is not fit for use; never leaves this package
└── AuthMisconfiguredError      the settings or the key file do not allow authentication, and says what to do
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a caller was refused: for logs and metrics, never shown to the caller."""

    MISSING = "missing"  # no Authorization header
    SCHEME = "scheme"  # not `Bearer` and exactly one token
    MALFORMED = "malformed"  # not a compact JWS of bounded, strict JSON
    HEADER = "header"  # a header member that is refused or of the wrong type
    ALGORITHM = "algorithm"  # an algorithm that no key at hand may be used with
    UNKNOWN_KEY = "unknown_key"  # no published key of this id
    SIGNATURE = "signature"  # the key says no
    TIMES = "times"  # exp, nbf or iat absent, or not a whole number of seconds
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    ROLE = "role"
    SUBJECT = "subject"
    INTERNAL = "internal"  # a library failed on it


class AuthError(Exception):
    """Base of everything that this package raises."""


class UnauthenticatedError(AuthError):
    """The caller did not prove who it is. Carries no part of what it sent.

    Attributes:
        reason: which check said no.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"unauthenticated: {reason}")
        self.reason = reason


class TokenRequiredError(AuthError):
    """The caller is known by an API key, and what is asked for needs a token of the issuer."""


class IssuerUnavailableError(AuthError):
    """The issuer's keys have never been fetched, so no token that they sign can be checked; safe to retry.

    Attributes:
        retry_after_s: whole seconds until the next attempt to fetch them may begin, at least 1.
    """

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"the issuer's keys could not be fetched; next attempt in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class KeysRefusedError(AuthError):
    """A published key, or a whole document of them, is not fit for use. The message says why, without its content."""


class AuthMisconfiguredError(AuthError):
    """Authentication cannot work with what it was given. The message says what to do."""
