"""The form of a bearer token: everything that can be refused before a key, a clock or python-jose is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.auth import base64url, strict_json
from server.auth.errors import Reason, UnauthenticatedError

TOKEN_BYTES_MAX = 8 * 1024
KID_CHARS_MAX = 256
HEADER_BRACKETS_MAX = 4
PAYLOAD_BRACKETS_MAX = 64

# Every registered member that asks the reader to fetch or trust a key, to understand an extension, or to take the
# payload for something else than the claims themselves. python-jose ignores `crit`, so it must never see one.
# Source: RFC 7515 section 4.1, RFC 7516 section 4.1, RFC 7518 section 4, RFC 7797 section 3.
REFUSED_MEMBERS = frozenset(
    {"crit", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "b64", "cty", "zip", "enc"}
    | {"epk", "apu", "apv", "iv", "tag", "p2s", "p2c", "url", "nonce"}
)


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A well-formed token. Nothing in it is proved yet."""

    text: str = field(repr=False)
    alg: str
    kid: str | None = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)


def bearer_token(authorization: str | None) -> str:
    """Take the token out of an `Authorization` header.

    Args:
        authorization: the header's value, None when the request has none.

    Returns:
        ASCII text of at most `TOKEN_BYTES_MAX` characters, without blanks.

    Raises:
        UnauthenticatedError: no header, another scheme than `Bearer` (in any case), or not exactly one token.

    Source: RFC 6750 section 2.1, RFC 9110 section 11.4.
    """
    if authorization is None:
        raise UnauthenticatedError(Reason.MISSING)
    scheme, _, rest = authorization.partition(" ")
    token = rest.lstrip(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError(Reason.SCHEME)
    if len(token) > TOKEN_BYTES_MAX or not token.isascii():
        raise UnauthenticatedError(Reason.MALFORMED)
    if " " in token or "," in token:
        raise UnauthenticatedError(Reason.SCHEME)
    return token


def parse_token(text: str) -> UnverifiedToken:
    """Read a compact JWS and its claims, strictly.

    Args:
        text: what `bearer_token` gave.

    Returns:
        The token, of which only the form is known to be good.

    Raises:
        UnauthenticatedError: not three parts of canonical base64url; header or payload not one bounded JSON object; a
            header member that is refused.

    Source: RFC 7515 sections 2, 3 and 4; RFC 8725 section 3.
    """
    if text.count(".") != 2:
        raise UnauthenticatedError(Reason.MALFORMED)
    header_part, payload_part, signature_part = text.split(".")
    header = _json_object(_decoded(header_part), HEADER_BRACKETS_MAX)
    claims = _json_object(_decoded(payload_part), PAYLOAD_BRACKETS_MAX)
    _decoded(signature_part)
    alg, kid = _checked_header(header)
    return UnverifiedToken(text=text, alg=alg, kid=kid, claims=claims)


def _decoded(part: str) -> bytes:
    try:
        return base64url.decode(part)
    except ValueError:
        raise UnauthenticatedError(Reason.MALFORMED) from None


def _json_object(raw: bytes, brackets_max: int) -> dict[str, Any]:
    try:
        value = strict_json.loads(raw, brackets_max)
    except ValueError:
        raise UnauthenticatedError(Reason.MALFORMED) from None
    if not isinstance(value, dict):
        raise UnauthenticatedError(Reason.MALFORMED)
    return value


def _checked_header(header: Mapping[str, Any]) -> tuple[str, str | None]:
    alg, kid = header.get("alg"), header.get("kid")
    if not isinstance(alg, str) or not alg:
        raise UnauthenticatedError(Reason.ALGORITHM)
    if not REFUSED_MEMBERS.isdisjoint(header) or header.get("typ", "JWT") != "JWT":
        raise UnauthenticatedError(Reason.HEADER)
    if "kid" in header and not (isinstance(kid, str) and 0 < len(kid) <= KID_CHARS_MAX):
        raise UnauthenticatedError(Reason.HEADER)
    return alg, kid
