"""Everybody who may call: by a token of the issuer, or by an API key."""

from agents_store.types import Principal
from server.auth.api_key import KEY_MARK
from server.auth.api_keys import ApiKeys
from server.auth.errors import TokenRequiredError
from server.auth.token import bearer_token
from server.auth.verifier import Verifier


class Callers:
    """The one way from an `Authorization` header to a principal, whatever the header holds.

    Attributes:
        api_keys: those who come with a key.
    """

    def __init__(self, tokens: Verifier, api_keys: ApiKeys) -> None:
        self._tokens = tokens
        self.api_keys = api_keys

    async def close(self) -> None:
        """Forget every API key; the verifier of tokens belongs to whoever opened it. Idempotent."""
        await self.api_keys.close()

    async def authenticate(self, authorization: str | None) -> Principal:
        """Tell who is calling.

        Args:
            authorization: the value of the request's one `Authorization` header, None when it has none.

        Raises:
            UnauthenticatedError: the caller proved nothing. It carries a reason and nothing of the header.
            IssuerUnavailableError: the issuer's keys were never fetched.
            StoreUnavailableError: an API key could not be looked up.
        """
        # A token may hold these characters anywhere; a key begins with them.
        if authorization is not None and KEY_MARK in authorization:
            credential = bearer_token(authorization)
            if credential.startswith(KEY_MARK):
                return await self.api_keys.authenticate(credential)
        return await self._tokens.authenticate(authorization)


def require_token(principal: Principal) -> Principal:
    """Refuse a caller who came with an API key: what a stolen key could do for good is left to tokens.

    Raises:
        TokenRequiredError: an API key proved the caller.
    """
    if principal.api_key_id is not None:
        raise TokenRequiredError
    return principal
