"""`glovebox account`: export and erase all that is stored of you, over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from server.cli import output
from server.cli.client import open_client
from server.cli.errors import CliError

app = typer.Typer(help="Export or erase all that is stored of you.", no_args_is_help=True)


@app.command()
def export(
    file: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="F", help="Write to this file; absent: to standard output.")
    ] = None,
) -> None:
    """Export agents, versions, runs, logs and ledger as JSON Lines."""
    with open_client() as client:
        lines = _whole(client.lines("/account/export"))
        if file is None:
            for line in lines:
                output.line(line)
            return
        _write(file, lines)
    output.note(f"exported to {file}")


@app.command()
def erase(
    yes: Annotated[
        bool, typer.Option("--yes", help="Yes: everything, for good, with what is left of the credits.")
    ] = False,
) -> None:
    """Erase your account for good."""
    if not yes:
        raise typer.BadParameter("erasing cannot be undone; --yes says that you mean it")
    with open_client() as client:
        user_id = client.get("/account")["user_id"]
        client.request("DELETE", "/account", headers={"Glovebox-Confirm": str(user_id)})
    output.note(f"erased the account of {user_id}")


def _whole(lines: Iterator[str]) -> Iterator[str]:
    """The lines, up to the one that says that there are no more. Raises CliError where it is missing."""
    last = ""
    for line in lines:
        last = line
        yield line
    try:
        ended = json.loads(last)["type"] == "end"
    except (ValueError, TypeError, LookupError):
        ended = False
    if not ended:
        raise CliError("the export broke off", hint="what was printed or written is not whole; try again")


def _write(file: Path, lines: Iterator[str]) -> None:
    """Put the lines into the file, which is not touched before all of them are there."""
    partial = file.with_name(f".{file.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for line in lines)
        partial.replace(file)
    except OSError as exc:
        raise CliError(f"cannot write {file}: {exc.strerror}") from exc
    finally:
        partial.unlink(missing_ok=True)
