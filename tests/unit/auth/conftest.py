"""One make-believe project for the whole session: its RSA key takes a while to make."""

import pytest

from server.auth.testing import StubProject


@pytest.fixture(scope="session")
def project() -> StubProject:
    return StubProject()
