"""A make-believe Supabase project: mints good tokens and forged ones, and publishes its keys without a network."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwk
from jose.backends.base import Key

from server.auth.clock import SYSTEM_CLOCK, Clock
from server.auth.keys import VerificationKey, parse_key_document, shared_secret_key
from server.auth.verifier import Verifier

ISSUER = "https://project.supabase.co/auth/v1"
SECRET = "a-secret-that-only-the-project-and-the-server-know"  # noqa: S105 - of a project that does not exist
USER_ID = UUID("6f0e0a7e-3d0a-4a52-9d4e-6a3f3f0f2a11")
ABSENT = object()  # as a value: leave the member out


class StubProject:
    """One project with an ES256, an RS256 and an HS256 key.

    Attributes:
        issuer: its tokens' `iss`.
        signing_keys: private keys by `kid`; the shared secret's `kid` is None.
    """

    def __init__(self, issuer: str = ISSUER) -> None:
        self.issuer = issuer
        self.ec_key = ec.generate_private_key(ec.SECP256R1())
        self.rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.signing_keys: dict[str | None, tuple[str, Key]] = {
            "ec-key": ("ES256", jwk.construct(_pem(self.ec_key), "ES256")),
            "rsa-key": ("RS256", jwk.construct(_pem(self.rsa_key), "RS256")),
            None: ("HS256", jwk.construct(SECRET, "HS256")),
        }

    def claims(self, **changes: Any) -> dict[str, Any]:
        """A good user's claims, with changes; `ABSENT` leaves one out."""
        now_s = int(time.time())
        good: dict[str, Any] = {
            "iss": self.issuer,
            "sub": str(USER_ID),
            "aud": "authenticated",
            "role": "authenticated",
            "iat": now_s,
            "exp": now_s + 3600,
        }
        return _present(good | changes)

    def token(self, kid: str | None = "ec-key", header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """A token with a genuine signature.

        Args:
            kid: which key signs; None for the shared secret.
            header: changes to the header; `ABSENT` leaves a member out.
            changes: to the claims, as in `claims`.
        """
        alg, _ = self.signing_keys[kid]
        good = {"alg": alg, "typ": "JWT"} | ({} if kid is None else {"kid": kid})
        return self.signed(_json(_present(good | dict(header or {}))), _json(self.claims(**changes)), kid)

    def signed(self, header: bytes, payload: bytes, kid: str | None = "ec-key") -> str:
        """A genuine signature over any bytes at all."""
        _, key = self.signing_keys[kid]
        return assemble(header, payload, key.sign)

    def key_document(self) -> dict[str, Any]:
        """What the project publishes: a JSON Web Key Set."""
        published = [(kid, alg, key) for kid, (alg, key) in self.signing_keys.items() if kid is not None]
        return {"keys": [_public_jwk(kid, alg, key) for kid, alg, key in published]}

    def verifier(self, clock: Clock = SYSTEM_CLOCK) -> tuple[Verifier, "StubKeys"]:
        """A verifier that trusts this project, and its key source, both ready for use."""
        keys = StubKeys(self.key_document())
        return Verifier(self.issuer, keys, shared_secret_key(SECRET), clock), keys


class StubKeys:
    """A `KeySource` over a key document at hand; counts how often it would have asked the issuer."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._keys, _ = parse_key_document(_json(document))
        self.asked = 0

    async def open(self) -> None:
        """Nothing to get ready."""

    async def close(self) -> None:
        """Nothing to give up."""

    def known(self, kid: str) -> VerificationKey | None:
        """The published key of this id."""
        return self._keys.get(kid)

    async def find(self, kid: str) -> VerificationKey | None:
        """The published key of this id; an unknown one counts as a question to the issuer."""
        self.asked += kid not in self._keys
        return self.known(kid)


@dataclass
class HeldClock:
    """Both clocks, standing still until told otherwise. `wall_s` starts at the real time, in whole seconds."""

    wall_s: float = field(default_factory=lambda: float(int(time.time())))
    monotonic_s: float = 1000.0

    @property
    def clock(self) -> Clock:
        """What to hand to the code under test."""
        return Clock(wall=lambda: self.wall_s, monotonic=lambda: self.monotonic_s)

    def advance(self, seconds: float) -> None:
        """Move both on."""
        self.wall_s += seconds
        self.monotonic_s += seconds


def assemble(header: bytes, payload: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Put three parts together, whatever they are."""
    signing_input = encoded(header) + b"." + encoded(payload)
    return (signing_input + b"." + encoded(sign(signing_input))).decode()


def encoded(raw: bytes) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _public_jwk(kid: str, alg: str, key: Key) -> dict[str, Any]:
    return {"kid": kid, "use": "sig", "key_ops": ["verify"], **key.public_key().to_dict(), "alg": alg}


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not ABSENT}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
