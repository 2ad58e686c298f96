"""What API keys look like on the wire."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

NAME_CHARS_MAX = 100
EXPIRES_IN_DAYS_MAX = 3_650


class CreateApiKey(BaseModel):
    """A new key. Without `expires_in_days` it lives until it is revoked."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        json_schema_extra={"examples": [{"name": "laptop", "expires_in_days": 90}]},
    )

    name: str = Field("", max_length=NAME_CHARS_MAX, description="for people, to tell keys apart")
    expires_in_days: int | None = Field(None, ge=1, le=EXPIRES_IN_DAYS_MAX)


class ApiKeyShown(BaseModel):
    """A key as listed: enough to recognise it. `last_used_at` is at most two minutes behind."""

    id: UUID
    name: str
    prefix: str = Field(description="the first characters after `gbx_`")
    last4: str = Field(description="the last characters before the checksum")
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeyMade(ApiKeyShown):
    """A key as it is shown once, when it is made."""

    key: str = Field(description="send it as `Authorization: Bearer`; it cannot be shown again")


class ApiKeyPage(BaseModel):
    """One page of keys, newest first."""

    items: Sequence[ApiKeyShown]
    next_cursor: str | None
