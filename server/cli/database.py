"""The database as its owner, for the commands of an operator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents_store.embedded import EmbeddedPostgres
from server.cli.errors import CliError
from server.settings import Settings


@asynccontextmanager
async def owner_url(settings: Settings) -> AsyncIterator[str]:
    """The connection string of the database's owner; an embedded database runs for as long.

    Raises:
        CliError: DATABASE_URL or SUPABASE_URL names a database whose owner is not known.
        StoreError: the embedded database cannot be reached; the message says what to do.
    """
    if settings.migrate_database_url is not None:
        yield settings.migrate_database_url.get_secret_value()
        return
    if settings.database_url is not None or settings.supabase_url is not None:
        named = "DATABASE_URL" if settings.database_url is not None else "SUPABASE_URL"
        raise CliError(
            f"{named} is set, but not how to reach that database as its owner",
            hint=f"set GLOVEBOX_MIGRATE_DATABASE_URL, or unset {named} for the embedded database",
        )
    async with EmbeddedPostgres(settings.data_dir) as postgres:
        yield postgres.owner_url
