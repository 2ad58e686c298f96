"""What credits look like on the wire. Amounts are integers; 1 credit = 1,000,000 microcredits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


class BalanceShown(BaseModel):
    """What can be spent, and what runs that go on have reserved."""

    available_microcredits: int
    held_microcredits: int


class EntryShown(BaseModel):
    """One line of the ledger, and what it did to either part of the balance."""

    id: int
    kind: str
    amount_microcredits: int
    available_delta_microcredits: int
    held_delta_microcredits: int
    run_id: UUID | None
    generation_id: UUID | None
    pricing: Mapping[str, Any] | None = Field(description="of a generation: model, tokens of each kind, their prices")
    created_at: datetime


class EntryPage(BaseModel):
    """One page of the ledger, newest first."""

    items: Sequence[EntryShown]
    next_cursor: str | None
