"""What a token must say to be a user's: times, issuer, audience, role, subject."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from server.auth.errors import Reason, UnauthenticatedError

AUDIENCE = "authenticated"
ROLE = "authenticated"
LEEWAY_S = 30  # how far an issuer's clock may run ahead of ours; exp gets none


@dataclass(frozen=True, slots=True)
class UserClaims:
    """The two claims that the server goes on with. `expires_at_s` is in seconds since 1970."""

    user_id: UUID
    expires_at_s: int


def check_claims(claims: Mapping[str, Any], issuer: str, now_s: float, *, issuer_required: bool = True) -> UserClaims:
    """Check everything that a user's token must claim.

    Args:
        claims: the payload.
        issuer: what `iss` must equal.
        issuer_required: whether a token without any `iss` is refused.
        now_s: seconds since 1970.

    Returns:
        Who the token is for, and until when.

    Raises:
        UnauthenticatedError: with the reason of the first check that failed. `service_role` and `anon` are no users.

    Source: RFC 7519 section 4.1; RFC 8725 sections 3.8 to 3.10; Supabase, "JWT claims reference".
    """
    expires_at_s = _checked_times(claims, now_s)
    if (issuer_required or "iss" in claims) and claims.get("iss") != issuer:
        raise UnauthenticatedError(Reason.ISSUER)
    if claims.get("aud") not in (AUDIENCE, [AUDIENCE]):
        raise UnauthenticatedError(Reason.AUDIENCE)
    if claims.get("role") != ROLE:
        raise UnauthenticatedError(Reason.ROLE)
    return UserClaims(user_id=_subject(claims.get("sub")), expires_at_s=expires_at_s)


def _checked_times(claims: Mapping[str, Any], now_s: float) -> int:
    for name in ("nbf", "iat"):
        if name in claims and _numeric_date(claims[name]) > now_s + LEEWAY_S:
            raise UnauthenticatedError(Reason.NOT_YET_VALID)
    expires_at_s = _numeric_date(claims.get("exp"))
    if expires_at_s <= now_s:
        raise UnauthenticatedError(Reason.EXPIRED)
    return expires_at_s


def _numeric_date(value: object) -> int:
    # Not isinstance: a bool is an int. Every float is refused, infinite or not.
    if type(value) is not int or not 0 <= value < 2**63:
        raise UnauthenticatedError(Reason.TIMES)
    return value


def _subject(value: object) -> UUID:
    """Take a UUID in its one canonical spelling, so that two strings are never the same user."""
    try:
        user_id = UUID(value) if isinstance(value, str) and len(value) == 36 else None
    except ValueError:
        user_id = None
    if user_id is None or str(user_id) != value:
        raise UnauthenticatedError(Reason.SUBJECT)
    return user_id
