"""What an agent may be called."""

import re

AGENT_NAME_PATTERN = "^[a-z0-9][a-z0-9_-]{0,62}$"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_UUID_LIKE = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.ASCII)


def is_agent_name(text: str) -> bool:
    """Whether an agent can have this name: 1 to 63 characters, and nothing that a path could take for a user's id."""
    return _NAME.fullmatch(text) is not None and _UUID_LIKE.fullmatch(text) is None
