"""The local issuer: one key in the data directory, whose tokens stand for users where no Supabase project does."""

import asyncio
import base64
import hashlib
import json
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk, jwt
from jose.backends.base import Key

from server.auth.claims import AUDIENCE, ROLE
from server.auth.clock import SYSTEM_CLOCK, Clock
from server.auth.errors import AuthMisconfiguredError
from server.auth.key_file import create_once, read_private
from server.auth.keys import VerificationKey

LOCAL_ISSUER = "urn:glovebox:local"
KEY_FILE_NAME = "issuer_key.pem"
TTL_S_MAX = 366 * 24 * 3600
ALGORITHM = "ES256"


class LocalIssuer:
    """Mints tokens with the data directory's own key, and gives the key that verifies them.

    Attributes:
        issuer: what its tokens' `iss` says.
        kid: the id of its key, the key's own thumbprint (RFC 7638).
        verification_key: the public half.
    """

    def __init__(self, pem: bytes, clock: Clock = SYSTEM_CLOCK) -> None:
        self.issuer = LOCAL_ISSUER
        self._clock = clock
        self._signing_key: Key = jwk.construct(pem, ALGORITHM)
        public_key = self._signing_key.public_key()
        self.kid = _thumbprint(public_key)
        self.verification_key = VerificationKey(ALGORITHM, public_key)

    @classmethod
    def load(cls, data_dir: Path, clock: Clock = SYSTEM_CLOCK) -> "LocalIssuer":
        """Load the directory's key; the first use makes it.

        Safe under several processes at once: all get the same key.

        Args:
            data_dir: exists, and belongs to the user that the server runs as.
            clock: what `mint` reads.

        Raises:
            AuthMisconfiguredError: the directory or the key file is not fit for use, and what to do.
        """
        path = data_dir / KEY_FILE_NAME
        pem = read_private(path)
        if pem is None:
            create_once(path, _new_key())
            pem = read_private(path)
        if pem is None:
            raise AuthMisconfiguredError(f"{path} was removed while it was being made; try again")
        _require_signing_key(path, pem)
        return cls(pem, clock)

    def mint(self, user_id: UUID, ttl_s: int) -> str:
        """Make a token that proves its bearer to be this user.

        Args:
            user_id: whom it stands for.
            ttl_s: seconds until it expires, from 1 to `TTL_S_MAX`.

        Raises:
            ValueError: `ttl_s` is out of range.
        """
        if not 1 <= ttl_s <= TTL_S_MAX:
            raise ValueError(f"a token lives from 1 to {TTL_S_MAX} seconds")
        now_s = int(self._clock.wall())
        claims = {
            "iss": self.issuer,
            "sub": str(user_id),
            "aud": AUDIENCE,
            "role": ROLE,
            "iat": now_s,
            "exp": now_s + ttl_s,
        }
        return jwt.encode(claims, self._signing_key, algorithm=ALGORITHM, headers={"kid": self.kid})


class LocalKeys:
    """A `KeySource` over the local issuer of one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._issuer: LocalIssuer | None = None

    async def open(self) -> None:
        """Load the issuer's key, making it on first use.

        Raises:
            AuthMisconfiguredError: as `LocalIssuer.load`.
        """
        self._issuer = await asyncio.to_thread(LocalIssuer.load, self._data_dir)

    async def close(self) -> None:
        """Let go of the key."""
        self._issuer = None

    def known(self, kid: str) -> VerificationKey | None:
        """The issuer's key, if this is its id."""
        return self._issuer.verification_key if self._issuer is not None and kid == self._issuer.kid else None

    async def find(self, kid: str) -> VerificationKey | None:
        """The issuer's key, if this is its id."""
        return self.known(kid)


def _new_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _require_signing_key(path: Path, pem: bytes) -> None:
    """Refuse what is not a P-256 private key; python-jose would take a public one and fail only when minting."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise AuthMisconfiguredError(f"{path} holds no P-256 private key; delete it to get a new one")


def _thumbprint(public_key: Key) -> str:
    members = public_key.to_dict()
    canonical = json.dumps({name: members[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()
