"""What an operator does as the owner of the database: grant credit, audit the books, seal secrets anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import class_row, dict_row
from psycopg.types.numeric import Int4
from uuid_utils.compat import uuid7

from agents_store.postgres.connection import connect_as_operator
from agents_store.postgres.queries import query
from agents_store.postgres.translate import translated
from agents_store.types import Balance, SealedSecret

AMOUNT_MICROCREDITS_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Imbalance:
    """An account whose stored balance is not the sum of its entries."""

    user_id: UUID
    available_microcredits: int
    held_microcredits: int
    available_sum_microcredits: int
    held_sum_microcredits: int


async def grant_credits(
    owner_url: str, user_id: UUID, amount_microcredits: int, *, idempotency_key: str | None
) -> Balance:
    """Add to a user's available credit, after making the account with its first grant where it is not seen yet.

    Args:
        owner_url: connection string of the owner; no role of the server may grant.
        user_id: whose account.
        amount_microcredits: 1 to 2**63 - 1.
        idempotency_key: a repeat with the same key adds nothing; None adds every time. At most 256 bytes of UTF-8.

    Returns:
        The balance after the grant.

    Raises:
        ValueError: the amount is out of range or would overflow the balance, the key is empty or too long, or was used
            for another amount.
        StoreUnavailableError: the database cannot be reached.
        StoreMisconfiguredError: the role is not the owner, or the schema is behind.
    """
    if not 1 <= amount_microcredits <= AMOUNT_MICROCREDITS_MAX:
        raise ValueError("a grant is 1 to 2**63 - 1 microcredits")
    key = str(uuid7()) if idempotency_key is None else idempotency_key
    if not 1 <= len(key.encode()) <= 256:
        raise ValueError("an idempotency key is 1 to 256 bytes")
    params = {"user_id": user_id, "amount_microcredits": amount_microcredits, "idempotency_key": key}
    with translated():
        async with await connect_as_operator(owner_url) as conn:
            cursor = conn.cursor(row_factory=dict_row)
            granted = await (await cursor.execute(query("grant_credits"), params)).fetchone()
    if granted is None or not granted["same_amount"]:
        raise ValueError("this idempotency key was used for a grant of another amount")
    return Balance(granted["available_microcredits"], granted["held_microcredits"])


async def audit_balances(owner_url: str) -> Sequence[Imbalance]:
    """Every account whose balance is not the sum of its entries: none, or the books are wrong.

    Raises:
        StoreUnavailableError: the database cannot be reached.
        StoreMisconfiguredError: the role is not the owner, or the schema is behind.
    """
    with translated():
        async with (
            await connect_as_operator(owner_url) as conn,
            conn.cursor(row_factory=class_row(Imbalance)) as cursor,
        ):
            return await (await cursor.execute(query("audit_balances"))).fetchall()


@dataclass(frozen=True, slots=True)
class PlacedSecret:
    """A sealed secret, and whose it is."""

    user_id: UUID
    agent_id: UUID
    secret: SealedSecret


async def secrets_to_reseal(
    owner_url: str, key_id: str, after: PlacedSecret | None, limit: int
) -> Sequence[PlacedSecret]:
    """At most `limit` secrets that another key than `key_id` sealed, in one order, behind `after` or from the first.

    Raises:
        StoreUnavailableError: the database cannot be reached.
        StoreMisconfiguredError: the role is not the owner, or the schema is behind.
    """
    params = {
        "key_id": key_id,
        "user_id": UUID(int=0) if after is None else after.user_id,
        "agent_id": UUID(int=0) if after is None else after.agent_id,
        "name": "" if after is None else after.secret.name,
        "rows_max": Int4(limit),
    }
    with translated():
        async with await connect_as_operator(owner_url) as conn:
            cursor = conn.cursor(row_factory=dict_row)
            rows = await (await cursor.execute(query("secrets_to_reseal"), params)).fetchall()
    return [PlacedSecret(row.pop("user_id"), row.pop("agent_id"), SealedSecret(**row)) for row in rows]


async def reseal_secrets(owner_url: str, sealed: Sequence[tuple[PlacedSecret, SealedSecret]]) -> int:
    """Put secrets that were sealed anew in place of what they were; what changed meanwhile stays. How many were put.

    Raises:
        StoreUnavailableError: the database cannot be reached; some may have been put.
        StoreMisconfiguredError: the role is not the owner, or the schema is behind.
    """
    done = 0
    with translated():
        async with await connect_as_operator(owner_url) as conn:
            for placed, anew in sealed:
                params = {
                    "user_id": placed.user_id,
                    "agent_id": placed.agent_id,
                    "name": anew.name,
                    "old_nonce": placed.secret.nonce,
                    "key_id": anew.key_id,
                    "nonce": anew.nonce,
                    "ciphertext": anew.ciphertext,
                }
                put = await (await conn.execute(query("reseal_secret"), params)).fetchone()
                done += put == (True,)
    return done
