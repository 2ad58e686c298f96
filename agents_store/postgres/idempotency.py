"""Idempotency keys: claimed for a request, and the first answer kept under them for its repeats."""

from uuid import UUID

from psycopg.types.numeric import Int4

from agents_store.errors import KeyInFlightError, KeyMismatchError, StoreError
from agents_store.postgres.connection import claims_of
from agents_store.postgres.database import Database, Params, the, to_json
from agents_store.postgres.queries import query
from agents_store.types import Claim, Principal, StoredAnswer


class IdempotencyRoom(Database):
    """The part of the store that keeps answers for requests that are sent again."""

    async def claim_key(
        self, principal: Principal, key: str, request_hash: bytes, *, run_id: UUID, server_id: UUID
    ) -> Claim | StoredAnswer:
        """Claim a key (1 to 255 visible ASCII characters) for a request, told by its SHA-256.

        A claim ends with its server's lease: whoever repeats the request takes it over. Where the request had begun a
        run, the claim says so once that has ended, and no other run begins.

        Args:
            principal: whose key it is; keys of different users have nothing to do with each other.
            key: as the client chose it.
            request_hash: SHA-256 of everything that makes the request.
            run_id: the run that the request may begin, unless an earlier claim has chosen one.
            server_id: the lease that the claim lives by.

        Returns:
            The claim, whose request is to be carried out with the claim's run id; or the answer that was kept.

        Raises:
            KeyMismatchError: the key is another request's.
            KeyInFlightError: a request with it is being carried out.
            ValueError: `key` is none.
        """
        params = {
            "claims": claims_of(principal.user_id),
            "key": key,
            "request_hash": request_hash,
            "run_id": run_id,
            "server_id": server_id,
        }
        async with self.connection() as conn:
            status, own_run_id, http_status, headers, body = the(
                await (await conn.execute(query("claim_key"), params)).fetchone()
            )
        match status:
            case "claimed":
                return Claim(key, own_run_id, server_id)
            case "answered":
                return StoredAnswer(http_status, headers, body)
            case "ran":
                return Claim(key, own_run_id, server_id, ran=True)
            case "in_flight":
                raise KeyInFlightError("a request with this key is being carried out")
            case "mismatch":
                raise KeyMismatchError("the key is another request's")
        raise StoreError(f"claim_key answered {status!r}")

    async def keep_answer(self, principal: Principal, claim: Claim, answer: StoredAnswer) -> None:
        """Keep the answer for repeats of the request, 24 h from the claim. Nothing where the claim is lost."""
        params = {"status": Int4(answer.status), "headers": to_json(answer.headers), "body": answer.body}
        await self.as_login("keep_answer", {**_claim_params(principal, claim), **params})

    async def free_key(self, principal: Principal, claim: Claim, *, in_doubt: bool) -> None:
        """Let go of a claim whose request changed nothing; `in_doubt`: or whose run may have begun all the same."""
        await self.as_login("free_key", {**_claim_params(principal, claim), "in_doubt": in_doubt})


def _claim_params(principal: Principal, claim: Claim) -> Params:
    return {
        "claims": claims_of(principal.user_id),
        "key": claim.key,
        "run_id": claim.run_id,
        "server_id": claim.server_id,
    }
