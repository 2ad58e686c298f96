"""`glovebox credits`: the balance and the ledger over HTTP, grants by an operator in the database."""

import asyncio
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Annotated
from uuid import UUID

import typer

from agents_store.postgres.admin import grant_credits
from agents_store.types import Balance
from server.cli import output
from server.cli.client import open_client
from server.cli.database import owner_url
from server.cli.errors import CliError, Exit
from server.cli.options import AsJson, DataDir, Limit, UserId, load_settings
from server.settings import Settings

MICROCREDITS = 1_000_000
GRANT_CREDITS_MAX = 1_000_000_000

app = typer.Typer(help="See the balance and the ledger; grant credits.", no_args_is_help=True)


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show your balance."""
    with open_client() as client:
        balance = client.get("/credits")
    if as_json:
        output.json_object(balance)
        return
    _show_balance(balance["available_microcredits"], balance["held_microcredits"])


@app.command()
def entries(limit: Limit = 50, as_json: AsJson = False) -> None:
    """Show your ledger, newest first."""
    with open_client() as client:
        page = client.pages("/credits/entries", limit=limit)
    if as_json:
        output.json_object(page)
        return
    output.table(
        ("ENTRY", "KIND", "CREDITS", "RUN", "CREATED"),
        (
            (
                entry["id"],
                entry["kind"],
                output.credits_text(entry["amount_microcredits"]),
                entry["run_id"],
                output.moment(entry["created_at"]),
            )
            for entry in page["items"]
        ),
    )


@app.command()
def grant(
    user_id: UserId,
    credits_text: Annotated[
        str, typer.Option("--credits", metavar="N", help="Credits, up to six decimals: 10, 0.5, 2.000001.")
    ],
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", help="A repeat with the same key grants nothing more.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Grant credits to a user: for the operator, beside a running server too."""
    amount = parse_credits(credits_text)
    settings = load_settings(data_dir)
    balance = asyncio.run(_grant(settings, user_id, amount, idempotency_key))
    if as_json:
        output.json_object({"user_id": str(user_id), **asdict(balance)})
        return
    output.note(f"granted {output.credits_text(amount)} credits to {user_id}")
    _show_balance(balance.available_microcredits, balance.held_microcredits)


async def _grant(settings: Settings, user_id: UUID, amount_microcredits: int, idempotency_key: str | None) -> Balance:
    async with owner_url(settings) as url:
        try:
            return await grant_credits(url, user_id, amount_microcredits, idempotency_key=idempotency_key)
        except ValueError as exc:
            raise CliError(str(exc), exit_code=Exit.CONFLICT) from exc


def _show_balance(available_microcredits: int, held_microcredits: int) -> None:
    output.fields(
        [("available", output.credits_text(available_microcredits)), ("held", output.credits_text(held_microcredits))]
    )


def parse_credits(text: str) -> int:
    """Credits as microcredits, exact. Raises BadParameter unless above 0, with six decimals at most."""
    try:
        amount = Decimal(text)
    except InvalidOperation as exc:
        raise typer.BadParameter(f"{text!r} is not a number of credits") from exc
    if not amount.is_finite() or not 0 < amount <= GRANT_CREDITS_MAX:
        raise typer.BadParameter(f"credits must be above 0 and at most {GRANT_CREDITS_MAX}")
    microcredits = amount * MICROCREDITS
    if microcredits != int(microcredits):
        raise typer.BadParameter("credits have six decimals at most")
    return int(microcredits)
