"""Gloves of runs that never were."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.gloves.fetching import Fetching, MakeFetching


@pytest.fixture
async def fetching() -> AsyncIterator[MakeFetching]:
    """Makes fetch gloves, and closes them when the test is done."""
    made: list[Fetching] = []

    def make(*arguments: Any, **options: Any) -> Fetching:
        made.append(Fetching(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        await one.gloves.close()
