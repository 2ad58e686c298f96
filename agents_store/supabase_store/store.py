"""`SupabaseStore`: the store contract on a Supabase project, without a connection to its database."""

from agents_store.supabase_store.account import AccountRoom
from agents_store.supabase_store.agents import AgentRoom
from agents_store.supabase_store.api_keys import ApiKeyRoom
from agents_store.supabase_store.credits import CreditRoom
from agents_store.supabase_store.effects import EffectRoom
from agents_store.supabase_store.files import FileRoom
from agents_store.supabase_store.generations import GenerationRoom
from agents_store.supabase_store.idempotency import IdempotencyRoom
from agents_store.supabase_store.live_runs import LiveRunRoom
from agents_store.supabase_store.memory import MemoryRoom
from agents_store.supabase_store.secrets import SecretRoom


class SupabaseStore(
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
    """Implements `agents_store.store.Store`: one pool, one room per subject.

    A user's rows are read with that user's own token, so that the project itself enforces row-level security. What
    changes anything goes through functions that the secret key alone may call, and that act as the verified user.
    """
