"""What accounts look like on the wire."""

from uuid import UUID

from pydantic import BaseModel


class AccountShown(BaseModel):
    """The caller's account."""

    user_id: UUID
