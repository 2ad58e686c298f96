"""Idempotency keys on a project."""

from typing import Any
from uuid import UUID

from agents_store.errors import KeyInFlightError, KeyMismatchError, StoreError
from agents_store.postgres.database import to_json
from agents_store.supabase_store.data_api import DataApi
from agents_store.types import Claim, Principal, StoredAnswer


class IdempotencyRoom(DataApi):
    """The part of the store that keeps answers for requests that are sent again."""

    async def claim_key(
        self, principal: Principal, key: str, request_hash: bytes, *, run_id: UUID, server_id: UUID
    ) -> Claim | StoredAnswer:
        """Claim a key (1 to 255 visible ASCII characters) for a request, told by its SHA-256.

        Returns:
            The claim, whose request is to be carried out with the claim's run id; or the answer that was kept.

        Raises:
            KeyMismatchError: the key is another request's.
            KeyInFlightError: a request with it is being carried out.
            ValueError: `key` is none.
        """
        arguments = {
            "key": key,
            "request_hash": request_hash.hex(),
            "run_id": str(run_id),
            "server_id": str(server_id),
        }
        claimed = await self.call(principal, "claim_key", arguments)
        match claimed["status"]:
            case "claimed":
                return Claim(key, UUID(claimed["run_id"]), server_id)
            case "answered":
                return StoredAnswer(claimed["http_status"], claimed["headers"], bytes.fromhex(claimed["body"]))
            case "ran":
                return Claim(key, UUID(claimed["run_id"]), server_id, ran=True)
            case "in_flight":
                raise KeyInFlightError("a request with this key is being carried out")
            case "mismatch":
                raise KeyMismatchError("the key is another request's")
        raise StoreError(f"claim_key answered {claimed['status']!r}")

    async def keep_answer(self, principal: Principal, claim: Claim, answer: StoredAnswer) -> None:
        """Keep the answer for repeats of the request, 24 h from the claim. Nothing where the claim is lost."""
        kept = {"status": answer.status, "headers": to_json(answer.headers), "body": answer.body.hex()}
        await self.call(principal, "keep_answer", {**_claim_arguments(claim), **kept})

    async def free_key(self, principal: Principal, claim: Claim, *, in_doubt: bool) -> None:
        """Let go of a claim whose request changed nothing; `in_doubt`: or whose run may have begun all the same."""
        await self.call(principal, "free_key", {**_claim_arguments(claim), "in_doubt": in_doubt})


def _claim_arguments(claim: Claim) -> dict[str, Any]:
    return {"key": claim.key, "run_id": str(claim.run_id), "server_id": str(claim.server_id)}
