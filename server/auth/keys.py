"""Keys that verify tokens: each bound to its one algorithm, and what a published key must be to become one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from jose import jwk, jws
from jose.backends.base import Key
from jose.exceptions import JOSEError

from server.auth import base64url, strict_json
from server.auth.errors import AuthMisconfiguredError, KeysRefusedError, Reason, UnauthenticatedError
from server.auth.token import KID_CHARS_MAX

SECRET_BYTES_MIN = 32
KEYS_MAX = 16
DOCUMENT_BRACKETS_MAX = 128
RSA_BITS_MIN, RSA_BITS_MAX = 2048, 4096
RSA_EXPONENT_MIN, RSA_EXPONENT_BITS_MAX = 2**16 + 1, 32
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
ALG_OF_KTY: Mapping[str, str] = {"EC": "ES256", "RSA": "RS256"}


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """One key and the only algorithm that it may be used with."""

    alg: str
    key: Key = field(repr=False)

    def check(self, token: str) -> None:
        """Check the signature of a well-formed token.

        Args:
            token: a compact JWS that `parse_token` accepted.

        Raises:
            UnauthenticatedError: the algorithm is another one, or the signature is not this key's.
        """
        try:
            jws.verify(token, self.key, algorithms=[self.alg])
        except JOSEError:
            raise UnauthenticatedError(Reason.SIGNATURE) from None


class KeySource(Protocol):
    """Where published keys come from."""

    async def open(self) -> None:
        """Get ready; called once, before anything else."""

    async def close(self) -> None:
        """Give up what `open` took."""

    def known(self, kid: str) -> VerificationKey | None:
        """The key of this id among those at hand, without asking anybody."""

    async def find(self, kid: str) -> VerificationKey | None:
        """The key of this id, after asking the issuer for new ones where that is due.

        Raises:
            IssuerUnavailableError: the issuer never gave any.
        """


class NoKeys:
    """A source without published keys: every token is signed with the shared secret."""

    async def open(self) -> None:
        """Nothing to get ready."""

    async def close(self) -> None:
        """Nothing to give up."""

    def known(self, kid: str) -> VerificationKey | None:
        """None: there are no keys."""
        return None

    async def find(self, kid: str) -> VerificationKey | None:
        """None: there are no keys."""
        return self.known(kid)


def shared_secret_key(secret: str) -> VerificationKey:
    """Make the HS256 key of a shared secret.

    Args:
        secret: at least `SECRET_BYTES_MIN` bytes of UTF-8; not an asymmetric key.

    Raises:
        AuthMisconfiguredError: too short, or a public key, which everybody knows.

    Source: RFC 7518 section 3.2 (a key of at least the hash's size); CVE-2024-33663.
    """
    if len(secret.encode()) < SECRET_BYTES_MIN:
        raise AuthMisconfiguredError(f"SUPABASE_JWT_SECRET must be at least {SECRET_BYTES_MIN} bytes")
    try:
        return VerificationKey("HS256", jwk.construct(secret, "HS256"))
    except JOSEError:
        raise AuthMisconfiguredError("SUPABASE_JWT_SECRET is an asymmetric key; set the HS256 secret") from None


def parse_key_document(document: bytes) -> tuple[dict[str, VerificationKey], int]:
    """Read a JSON Web Key Set, taking only keys that Glovebox can verify with.

    Args:
        document: the text; the caller has bounded its length.

    Returns:
        The usable keys by `kid`, and how many others were passed over: encryption keys, other types and curves,
        keys that are too small, too large, malformed, without a `kid`, or published with their private half.

    Raises:
        KeysRefusedError: not a key set, more than `KEYS_MAX` keys, a `kid` given twice, or keys but not one usable.

    Source: RFC 7517 sections 4 and 5.
    """
    entries = _key_entries(document)
    kids = [entry.get("kid") for entry in entries if isinstance(entry.get("kid"), str)]
    if len(set(kids)) != len(kids):
        raise KeysRefusedError("a kid is given twice")
    keys: dict[str, VerificationKey] = {}
    for entry in entries:
        try:
            keys[_key_id(entry)] = published_key(entry)
        except KeysRefusedError:
            continue
    if entries and not keys:
        raise KeysRefusedError("not one key is usable")
    return keys, len(entries) - len(keys)


def published_key(entry: Mapping[str, Any]) -> VerificationKey:
    """Make the key of one public JSON Web Key, refusing before any arithmetic what would be weak or costly.

    Args:
        entry: the members of the JWK.

    Raises:
        KeysRefusedError: not a public signature key for ES256 or RS256.

    Source: RFC 7518 section 6; FIPS 186-5 section 5.1 (RSA exponent); NIST SP 800-131A (RSA >= 2048).
    """
    alg = ALG_OF_KTY.get(str(entry.get("kty")))
    if alg is None or entry.get("alg", alg) != alg:
        raise KeysRefusedError("not an ES256 or RS256 key")
    if entry.get("use", "sig") != "sig" or "verify" not in _key_operations(entry):
        raise KeysRefusedError("not a signature key")
    if not PRIVATE_MEMBERS.isdisjoint(entry):
        raise KeysRefusedError("published with its private half")
    members = _rsa_members(entry) if alg == "RS256" else _ec_members(entry)
    try:
        return VerificationKey(alg, jwk.construct(members, alg))
    except (JOSEError, ValueError):
        raise KeysRefusedError("not a valid public key") from None


def _key_entries(document: bytes) -> list[Mapping[str, Any]]:
    try:
        value = strict_json.loads(document, DOCUMENT_BRACKETS_MAX)
    except ValueError as exc:
        raise KeysRefusedError(f"not strict JSON: {type(exc).__name__}") from None
    entries = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise KeysRefusedError("not a JSON Web Key Set")
    if len(entries) > KEYS_MAX:
        raise KeysRefusedError(f"more than {KEYS_MAX} keys")
    return entries


def _key_id(entry: Mapping[str, Any]) -> str:
    kid = entry.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= KID_CHARS_MAX:
        raise KeysRefusedError("without a kid")
    return kid


def _key_operations(entry: Mapping[str, Any]) -> list[Any]:
    operations = entry.get("key_ops", ["verify"])
    return operations if isinstance(operations, list) else []


def _rsa_members(entry: Mapping[str, Any]) -> dict[str, str]:
    modulus = int.from_bytes(_decoded(entry.get("n"), bytes_max=RSA_BITS_MAX // 8))
    exponent = int.from_bytes(_decoded(entry.get("e"), bytes_max=RSA_EXPONENT_BITS_MAX // 8))
    # The library refuses an even exponent, but takes an even modulus.
    if modulus.bit_length() < RSA_BITS_MIN or modulus % 2 == 0 or exponent < RSA_EXPONENT_MIN:
        raise KeysRefusedError("RSA modulus is too small or even, or its exponent too small")
    return {"kty": "RSA", "n": entry["n"], "e": entry["e"]}


def _ec_members(entry: Mapping[str, Any]) -> dict[str, str]:
    if entry.get("crv") != "P-256" or any(len(_decoded(entry.get(name), bytes_max=32)) != 32 for name in ("x", "y")):
        raise KeysRefusedError("not a point of P-256")
    return {"kty": "EC", "crv": "P-256", "x": entry["x"], "y": entry["y"]}


def _decoded(value: object, bytes_max: int) -> bytes:
    """Decode a number's base64url, whose length is bounded before it is decoded."""
    if not isinstance(value, str) or len(value) > -(-bytes_max * 4 // 3):
        raise KeysRefusedError("a number is absent or too long")
    try:
        return base64url.decode(value)
    except ValueError:
        raise KeysRefusedError("a number is not base64url") from None
