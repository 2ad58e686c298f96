"""What a Supabase project is reached with: its keys, and a user's token for each read."""

import time
from dataclasses import dataclass, field
from uuid import UUID

from jose import jwt

from agents_store.errors import TokenNeededError
from agents_store.types import Principal

TOKEN_S = 60  # of a token made for one request


@dataclass(frozen=True, slots=True)
class Project:
    """A Supabase project.

    `url` is its bare address. `publishable_key` and `secret_key` are its API keys, of the new or of the legacy kind.
    `jwt_secret` is its legacy HS256 secret, None where it signs with keys that only it has.
    """

    url: str
    publishable_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    jwt_secret: str | None = field(default=None, repr=False)

    @property
    def data_api_url(self) -> str:
        """Where tables and functions are."""
        return f"{self.url.rstrip('/')}/rest/v1"

    def server_headers(self) -> dict[str, str]:
        """What a request of the server itself carries."""
        return _headers(self.secret_key, None)

    def user_headers(self, principal: Principal) -> dict[str, str]:
        """What a request in a user's name carries: the publishable key and that user's token.

        Raises:
            TokenNeededError: the caller came with an API key, and no token can be made for them here.
        """
        return _headers(self.publishable_key, principal.token or self._made_token(principal.user_id))

    def _made_token(self, user_id: UUID) -> str:
        """A token like those of the project, for one request."""
        if self.jwt_secret is None:
            raise TokenNeededError
        now = int(time.time())
        claims = {
            "iss": f"{self.url.rstrip('/')}/auth/v1",
            "aud": "authenticated",
            "role": "authenticated",
            "sub": str(user_id),
            "iat": now,
            "exp": now + TOKEN_S,
        }
        return str(jwt.encode(claims, self.jwt_secret, algorithm="HS256"))


def _headers(key: str, token: str | None) -> dict[str, str]:
    headers = {"apikey": key}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    elif is_legacy(key):
        headers["Authorization"] = f"Bearer {key}"
    return headers


def is_legacy(key: str) -> bool:
    """Whether an API key is a token, as they all were once. The others are none, and belong into `apikey` alone."""
    return not key.startswith(("sb_publishable_", "sb_secret_"))
