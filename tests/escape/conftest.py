"""Two sandboxes that the whole suite shares, on the event loop of the session."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.restricted import RestrictedSandbox
from tests.escape.sandboxes import NO_POLICY, SHARED_UID, Run, opened, runner


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox() -> AsyncIterator[RestrictedSandbox]:
    async with opened(uid=SHARED_UID) as shared:
        yield shared


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bare_wall() -> AsyncIterator[RestrictedSandbox]:
    """The same kernel wall with the language policy switched off: programs are plain CPython."""
    async with opened(NO_POLICY, uid=SHARED_UID) as shared:
        yield shared


@pytest.fixture
def run(sandbox: RestrictedSandbox) -> Run:
    return runner(sandbox)


@pytest.fixture
def run_plain(bare_wall: RestrictedSandbox) -> Run:
    return runner(bare_wall)
