"""Figures that a test gives besides its verdict: pytest's own `record_property`, by a name that says the unit."""

from collections.abc import Callable
from typing import TypeAlias

Record: TypeAlias = Callable[[str, object], None]
