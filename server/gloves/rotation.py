"""Sealing every agent's secrets anew with the key that seals now."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents_store.postgres.admin import PlacedSecret, reseal_secrets, secrets_to_reseal
from agents_store.types import SealedSecret
from server.gloves.secret_box import SecretBox, SecretUnreadableError

BATCH_SECRETS = 500


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many secrets were sealed anew, and how many no key of the box opens."""

    resealed: int
    unreadable: int


async def rotate(owner_url: str, box: SecretBox) -> Rotated:
    """Seal anew what other keys sealed, in batches; it may be repeated, also beside running servers.

    Args:
        owner_url: connection string of the owner; no role of the server may read all secrets.
        box: its first key seals; the keys that sealed until now must be in it too.

    Raises:
        StoreUnavailableError, StoreMisconfiguredError: what was sealed anew stays so.
    """
    resealed = unreadable = 0
    after: PlacedSecret | None = None
    while batch := await secrets_to_reseal(owner_url, box.key_id, after, BATCH_SECRETS):
        sealed = _sealed(box, batch)
        unreadable += len(batch) - len(sealed)
        resealed += await reseal_secrets(owner_url, sealed)
        after = batch[-1]
    return Rotated(resealed, unreadable)


def _sealed(box: SecretBox, batch: Sequence[PlacedSecret]) -> list[tuple[PlacedSecret, SealedSecret]]:
    found = []
    for placed in batch:
        try:
            found.append((placed, box.reseal(placed.user_id, placed.agent_id, placed.secret)))
        except SecretUnreadableError:
            continue
    return found
