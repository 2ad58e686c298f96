"""`glovebox db`: migrations and the rotation of keys, as the database's owner."""

import asyncio

import typer

from agents_store.postgres import migrate as migrations
from agents_store.postgres.bootstrap import prepare_for
from agents_store.postgres.migrate import SchemaStatus
from server.cli import output
from server.cli.database import owner_url
from server.cli.errors import CliError, Exit
from server.cli.options import AsJson, DataDir, load_settings
from server.gloves.rotation import Rotated, rotate
from server.gloves.secret_box import build_secret_box
from server.settings import Settings

app = typer.Typer(help="Migrate the database; ask where it stands; rotate keys.", no_args_is_help=True)


@app.command()
def prepare(data_dir: DataDir = None) -> None:
    """Make the roles and the database in a plain PostgreSQL, as GLOVEBOX_SUPERUSER_DATABASE_URL. May be repeated.

    Names and passwords are those of GLOVEBOX_MIGRATE_DATABASE_URL and DATABASE_URL. The embedded database needs none of
    it; for Supabase, docs/operations.md says what to do.
    """
    settings = load_settings(data_dir)
    urls = (settings.superuser_database_url, settings.migrate_database_url, settings.database_url)
    superuser, owner, login = (None if url is None else url.get_secret_value() for url in urls)
    if superuser is None or owner is None or login is None:
        raise CliError(
            "three URLs of the same PostgreSQL are needed",
            hint="set GLOVEBOX_SUPERUSER_DATABASE_URL, GLOVEBOX_MIGRATE_DATABASE_URL and DATABASE_URL",
        )
    database = asyncio.run(prepare_for(superuser, owner_url=owner, login_url=login))
    output.note(f"prepared {database}")


@app.command()
def migrate(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Bring the schema to this release. The embedded database does so whenever it is opened."""
    settings = load_settings(data_dir)
    applied = asyncio.run(_migrate(settings))
    if as_json:
        output.json_object({"applied": applied})
        return
    for version in applied:
        output.line(version)
    output.note(f"applied {len(applied)}" if applied else "nothing to apply")


@app.command()
def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show which migrations are applied. Exit status 1 when the schema is not that of this release."""
    settings = load_settings(data_dir)
    found = asyncio.run(_status(settings))
    if as_json:
        output.json_object(
            {"applied": list(found.applied), "pending": list(found.pending), "unknown": list(found.unknown)}
        )
    else:
        output.fields(
            [
                ("applied", len(found.applied)),
                ("newest", found.applied[-1] if found.applied else None),
                ("pending", " ".join(found.pending) or None),
                ("unknown", " ".join(found.unknown) or None),
            ]
        )
    if found.pending or found.unknown:
        output.note("run `glovebox db migrate`" if found.pending else "install the release that migrated it")
        raise typer.Exit(Exit.FAILURE)


@app.command("rotate-secrets")
def rotate_secrets(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Seal every agent's secrets anew with the first of GLOVEBOX_SECRETS_KEYS; the others are not needed after that."""
    settings = load_settings(data_dir)
    rotated = asyncio.run(_rotate(settings))
    if as_json:
        output.json_object({"rotated": rotated.resealed, "unreadable": rotated.unreadable})
    else:
        output.note(f"sealed {rotated.resealed} anew")
    if rotated.unreadable:
        output.note(f"no key opens {rotated.unreadable} secrets: give their keys too, or set them again")
        raise typer.Exit(Exit.FAILURE)


async def _rotate(settings: Settings) -> Rotated:
    box = build_secret_box(settings)
    if box is None:
        raise CliError("there are no keys to seal with", hint="set GLOVEBOX_SECRETS_KEYS")
    async with owner_url(settings) as url:
        return await rotate(url, box)


async def _migrate(settings: Settings) -> list[str]:
    async with owner_url(settings) as url:
        return await migrations.migrate(url)


async def _status(settings: Settings) -> SchemaStatus:
    async with owner_url(settings) as url:
        return await migrations.status(url)
