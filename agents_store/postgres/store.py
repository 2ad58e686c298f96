"""`PostgresStore`: the store contract on PostgreSQL, direct or through a pooler."""

from agents_store.postgres.account import AccountRoom
from agents_store.postgres.agents import AgentRoom
from agents_store.postgres.api_keys import ApiKeyRoom
from agents_store.postgres.credits import CreditRoom
from agents_store.postgres.effects import EffectRoom
from agents_store.postgres.files import FileRoom
from agents_store.postgres.generation import GenerationRoom
from agents_store.postgres.idempotency import IdempotencyRoom
from agents_store.postgres.live_runs import LiveRunRoom
from agents_store.postgres.memory import MemoryRoom
from agents_store.postgres.secrets import SecretRoom


class PostgresStore(
    AgentRoom,
    GenerationRoom,
    EffectRoom,
    LiveRunRoom,
    IdempotencyRoom,
    CreditRoom,
    ApiKeyRoom,
    MemoryRoom,
    SecretRoom,
    FileRoom,
    AccountRoom,
):
    """Implements `agents_store.store.Store`: one pool, one room per subject."""
