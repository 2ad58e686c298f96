"""`PostgresStore`: the store contract on PostgreSQL, direct or through a pooler."""

from agents_store.postgres.agents import AgentRoom
from agents_store.postgres.credits import CreditRoom
from agents_store.postgres.runs import RunRoom


class PostgresStore(AgentRoom, RunRoom, CreditRoom):
    """Implements `agents_store.store.Store`: one pool, one room per subject."""
