"""One make-believe project for the whole session, and clocks that stand still."""

import pytest

from server.auth.testing import HeldClock, StubProject


@pytest.fixture(scope="session")
def project() -> StubProject:
    return StubProject()


@pytest.fixture
def held() -> HeldClock:
    return HeldClock()
