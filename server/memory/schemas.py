"""What an agent's memory looks like on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from agents_store.types import MEMORY_KEY_CHARS_MAX, MEMORY_TAG_CHARS_MAX, MEMORY_TAGS_MAX


class PutMemory(BaseModel):
    """What an agent is to remember under a key."""

    model_config = ConfigDict(extra="forbid", strict=True)

    value: Any = Field(description="any JSON, at most 64 KiB as text")
    tags: list[Annotated[str, Field(min_length=1, max_length=MEMORY_TAG_CHARS_MAX)]] = Field(
        default_factory=list, max_length=MEMORY_TAGS_MAX, description="what a search can ask for"
    )
    importance: float = Field(0.0, ge=0, le=1, description="how much it is lifted in a search")


class MemoryShown(BaseModel):
    """What an agent remembers under a key. `revision` is another one after every change."""

    key: str
    value: Any
    tags: Sequence[str]
    importance: float
    revision: int
    updated_at: datetime


class KeyShown(BaseModel):
    """A key under which an agent remembers something."""

    key: str = Field(max_length=MEMORY_KEY_CHARS_MAX)


class MemoryPage(BaseModel):
    """One page of keys, in the order of their bytes."""

    items: Sequence[KeyShown]
    next_cursor: str | None
