"""Which store the settings name: a PostgreSQL, a Supabase project by its keys alone, or the embedded database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from pydantic import SecretStr

from agents_store.embedded import EmbeddedPostgres
from agents_store.errors import StoreMisconfiguredError
from agents_store.postgres.store import PostgresStore
from agents_store.supabase_store import Project, SupabaseStore
from server.settings import Settings

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[PostgresStore | SupabaseStore]:
    """Open the store: `DATABASE_URL` names a PostgreSQL, `SUPABASE_URL` alone a project, neither the embedded database.

    Raises:
        StoreMisconfiguredError: the settings cannot work, and what to do.
        StoreUnavailableError: the database does not answer.
    """
    async with AsyncExitStack() as stack:
        store: PostgresStore | SupabaseStore
        if settings.database_url is not None:
            store = PostgresStore(
                settings.database_url.get_secret_value(),
                pool_max=settings.database_pool_max,
                listen_dsn=_revealed(settings.database_listen_url),
            )
        elif settings.supabase_url is not None:
            store = SupabaseStore(project_of(settings))
        else:
            database = EmbeddedPostgres(settings.data_dir)
            stack.push_async_callback(database.close)
            await database.open()
            store = PostgresStore(database.login_url, pool_max=settings.database_pool_max)
        stack.push_async_callback(store.close)
        await store.open()
        yield store


def project_of(settings: Settings) -> Project:
    """The Supabase project that the settings name, with keys of the new kind where there are any, else legacy ones.

    Raises:
        StoreMisconfiguredError: `SUPABASE_URL` or a key is missing.
    """
    publishable = _newer(settings.supabase_publishable_key, settings.supabase_anon_key, "SUPABASE_PUBLISHABLE_KEY")
    secret = _newer(settings.supabase_secret_key, settings.supabase_service_role_key, "SUPABASE_SECRET_KEY")
    if settings.supabase_url is None or publishable is None or secret is None:
        raise StoreMisconfiguredError(
            "SUPABASE_URL without DATABASE_URL needs SUPABASE_PUBLISHABLE_KEY and SUPABASE_SECRET_KEY;"
            " or set DATABASE_URL to the project's connection string, as glovebox_login"
        )
    return Project(str(settings.supabase_url), publishable, secret, _revealed(settings.supabase_jwt_secret))


def _newer(key: SecretStr | None, legacy_key: SecretStr | None, name: str) -> str | None:
    if key is None and legacy_key is not None:
        log.warning("legacy_supabase_key", advice=f"set {name}: Supabase withdraws the legacy keys")
    return _revealed(key or legacy_key)


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
