"""Effects as callers see them."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from agents_store.types import EffectRecord


def shown_effect(effect: EffectRecord) -> dict[str, Any]:
    """An effect; of a file its bytes are left out, of which its size and SHA-256 tell enough."""
    told = {field.name: getattr(effect, field.name) for field in fields(effect)}  # no copy: it may be large
    if effect.glove == "files.write" and isinstance(effect.request, Mapping):
        told["request"] = {name: value for name, value in effect.request.items() if name != "base64"}
    return told
