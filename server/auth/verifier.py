"""The one way from an `Authorization` header to a principal."""

import structlog

from agents_store.types import Principal
from server.auth.claims import check_claims
from server.auth.clock import SYSTEM_CLOCK, Clock
from server.auth.errors import IssuerUnavailableError, Reason, UnauthenticatedError
from server.auth.keys import ALG_OF_KTY, KeySource, VerificationKey
from server.auth.remote_keys import RemoteKeys
from server.auth.token import UnverifiedToken, bearer_token, parse_token
from server.auth.verified_tokens import VerifiedTokens

PUBLISHED_ALGORITHMS = frozenset(ALG_OF_KTY.values())

log = structlog.get_logger(__name__)


class Verifier:
    """Verifies bearer tokens of one issuer.

    Args:
        issuer: what every token's `iss` must equal.
        keys: the issuer's public keys.
        secret: the HS256 key shared with the issuer, None where there is none.
        issuer_required: whether tokens of that key must name the issuer; those of published keys always must.
    """

    def __init__(
        self,
        issuer: str,
        keys: KeySource,
        secret: VerificationKey | None = None,
        clock: Clock = SYSTEM_CLOCK,
        *,
        issuer_required: bool = True,
    ) -> None:
        self._issuer = issuer
        self._keys = keys
        self._secret = secret
        self._clock = clock
        self._verified = VerifiedTokens(clock)
        self._issuer_required = issuer_required

    @property
    def issuer_failing(self) -> bool:
        """Whether the issuer did not give its keys when last asked; those at hand stay in use."""
        return isinstance(self._keys, RemoteKeys) and self._keys.failing

    async def open(self) -> None:
        """Get the key source ready.

        Raises:
            AuthMisconfiguredError: the local issuer's key file is not safe to use, and what to do.
        """
        await self._keys.open()

    async def close(self) -> None:
        """Close the key source and forget every verified token."""
        self._verified.clear()
        await self._keys.close()

    async def authenticate(self, authorization: str | None) -> Principal:
        """Tell who is calling.

        Args:
            authorization: the value of the request's one `Authorization` header, None when it has none.

        Returns:
            The user whom the token names, and the token.

        Raises:
            UnauthenticatedError: the caller proved nothing. It carries a reason and nothing of the header.
            IssuerUnavailableError: the issuer's keys were never fetched.
        """
        try:
            token = bearer_token(authorization)
            return self._verified.get(token) or await self._verify(token)
        except UnauthenticatedError as exc:
            reason = exc.reason
        except IssuerUnavailableError:
            raise
        except Exception as exc:  # noqa: BLE001 - python-jose was seen to raise whatever a parser under it raises
            log.warning("token_check_failed", error=type(exc).__name__)
            reason = Reason.INTERNAL
        # Raised out here, a fresh error: the first one's context could hold a piece of the token.
        raise UnauthenticatedError(reason)

    async def _verify(self, text: str) -> Principal:
        token = parse_token(text)
        # Before the key: a token that could not pass anyway never makes the server ask its issuer for keys.
        issuer_required = self._issuer_required or token.alg != "HS256"
        claims = check_claims(token.claims, self._issuer, self._clock.wall(), issuer_required=issuer_required)
        key = await self._key_for(token)
        key.check(token.text)
        principal = Principal(user_id=claims.user_id, token=text)
        self._verified.put(text, principal, claims.expires_at_s)
        return principal

    async def _key_for(self, token: UnverifiedToken) -> VerificationKey:
        """Choose the one key that this token may be verified with; the algorithm is the key's, not the token's."""
        if token.alg == "HS256":
            if self._secret is None or (token.kid is not None and self._keys.known(token.kid) is not None):
                raise UnauthenticatedError(Reason.ALGORITHM)
            return self._secret
        if token.alg not in PUBLISHED_ALGORITHMS:
            raise UnauthenticatedError(Reason.ALGORITHM)
        key = None if token.kid is None else await self._keys.find(token.kid)
        if key is None:
            raise UnauthenticatedError(Reason.UNKNOWN_KEY)
        if key.alg != token.alg:
            raise UnauthenticatedError(Reason.ALGORITHM)
        return key
