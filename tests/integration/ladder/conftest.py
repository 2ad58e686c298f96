"""The tiers of this machine that need no engine, shared by tests on the event loop of the session."""

from collections.abc import AsyncIterator

import pytest_asyncio

from sandbox.monty import MontySandbox
from sandbox.restricted import RestrictedSandbox
from sandbox.tiers import Tiers

UID = 64_999


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tiers() -> AsyncIterator[Tiers]:
    opened = Tiers([MontySandbox(uid=UID, workers=2), RestrictedSandbox(uid=UID, pool_size=2)])
    await opened.open()
    yield opened
    await opened.close()
