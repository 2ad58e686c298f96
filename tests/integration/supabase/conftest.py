"""A store on a project of its own rows, and the same project reached directly."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from agents_store.postgres.store import PostgresStore
from agents_store.supabase_store import Project, SupabaseStore
from tests.support.supabase import Lite


@pytest.fixture
def project(lite: Lite) -> Project:
    lite.renew()
    return lite.project


@pytest.fixture
async def store(project: Project) -> AsyncIterator[SupabaseStore]:
    opened = SupabaseStore(project)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def unsigned(project: Project) -> AsyncIterator[SupabaseStore]:
    """A store that can make no tokens."""
    opened = SupabaseStore(replace(project, jwt_secret=None))
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def direct(lite: Lite, project: Project) -> AsyncIterator[PostgresStore]:
    """The other store on the same database."""
    opened = PostgresStore(lite.database.login_url, pool_max=2)
    await opened.open()
    yield opened
    await opened.close()
