"""Issue and verify signed, expiring tokens with HMAC and URL-safe base64."""

import base64
import binascii
import hashlib
import hmac
import json


class TokenError(Exception):
    """Base of everything that can be wrong with a token."""


class BadSignature(TokenError):
    pass


class Expired(TokenError):
    def __init__(self, seconds):
        super().__init__(f"expired {seconds} s ago")
        self.seconds = seconds


class Malformed(TokenError):
    pass


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Signer:
    def __init__(self, key: str, digest=hashlib.sha256):
        self.__key = key.encode()
        self.__digest = digest

    def _sign(self, payload: str) -> str:
        return b64(hmac.new(self.__key, payload.encode(), self.__digest).digest())

    def issue(self, claims: dict, *, now: int, ttl: int = 60) -> str:
        body = b64(json.dumps({**claims, "exp": now + ttl}, sort_keys=True).encode())
        return f"{body}.{self._sign(body)}"

    def verify(self, token: str, *, now: int) -> dict:
        try:
            body, signature = token.split(".")
            if not hmac.compare_digest(signature, self._sign(body)):
                raise BadSignature("signature does not match")
            claims = json.loads(unb64(body))
        except (ValueError, binascii.Error) as exc:
            raise Malformed(type(exc).__name__) from exc
        if claims["exp"] <= now:
            raise Expired(now - claims["exp"])
        return claims


def run(inputs):
    signer = Signer(inputs["key"])
    token = signer.issue({"sub": inputs["user"]}, now=1000)
    outcomes = []
    attempts = [(signer, token, 1030), (signer, token, 1090), (Signer("other"), token, 1030),
                (signer, token.replace(".", "", 1), 1030), (signer, "x" + token, 1030)]
    for who, text, now in attempts:
        try:
            outcomes.append(who.verify(text, now=now))
        except Expired as exc:
            outcomes.append(f"Expired by {exc.seconds}")
        except TokenError as exc:
            outcomes.append(f"{type(exc).__name__}: {exc}")
    return {"token": token, "outcomes": outcomes, "fingerprint": hashlib.sha1(token.encode()).hexdigest()[:12]}

# inputs: {"key": "correct horse", "user": "ada"}
# expect: {"token": "eyJleHAiOiAxMDYwLCAic3ViIjogImFkYSJ9.xwnrJj11JZK-JRF76HLy-3VsA0UR5EcxW9nzTenzhUk", "outcomes": [{"exp": 1060, "sub": "ada"}, "Expired by 30", "BadSignature: signature does not match", "Malformed: ValueError", "BadSignature: signature does not match"], "fingerprint": "d08c55df9f5f"}
