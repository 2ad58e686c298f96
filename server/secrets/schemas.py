"""What an agent's secrets look like on the wire. A value goes in, and never comes out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from server.gloves.hosts import PATTERN_CHARS_MAX
from server.gloves.secret_box import SECRET_BYTES_MAX, SECRET_CHARS_MIN

HOSTS_MAX = 16


class PutSecret(BaseModel):
    """A secret of an agent."""

    model_config = ConfigDict(extra="forbid", strict=True)

    value: SecretStr = Field(min_length=SECRET_CHARS_MIN, max_length=SECRET_BYTES_MAX, description="never shown again")
    hosts: list[Annotated[str, Field(min_length=1, max_length=PATTERN_CHARS_MAX)]] = Field(
        min_length=1, max_length=HOSTS_MAX, description="where it may be sent to, spelled as in `allowed_hosts`"
    )


class SecretShown(BaseModel):
    """What is told of a secret."""

    name: str
    hosts: Sequence[str]
    created_at: datetime
    updated_at: datetime


class SecretPage(BaseModel):
    """An agent's secrets, by name: all of them."""

    items: Sequence[SecretShown]
    next_cursor: None = None
