"""`glovebox runs effects`, `files`, `apply` and `replay`: what a run asked of its gloves, and what becomes of it."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from server.cli import output
from server.cli.client import open_client
from server.cli.errors import Exit
from server.cli.options import AsJson
from server.cli.paths import quoted

RunId = Annotated[str, typer.Argument(metavar="ID", help="The run's id.")]


def effects(run_id: RunId, as_json: AsJson = False) -> None:
    """Show what a run asked of its gloves, in order."""
    with open_client() as client:
        page = client.pages(f"{_path(run_id)}/effects", limit=10_000)
    if as_json:
        output.json_object(page)
    else:
        _show(page["items"])


def files(run_id: RunId, as_json: AsJson = False) -> None:
    """List the files that a run left, each with the path to get it from."""
    with open_client() as client:
        found = client.get(f"{_path(run_id)}/files")
    if as_json:
        output.json_object(found)
        return
    output.table(
        ("NAME", "BYTES", "MEDIA TYPE", "PATH"),
        ((file["name"], file["size_bytes"], file["media_type"], file["url"]) for file in found["items"]),
    )


def apply(run_id: RunId, as_json: AsJson = False) -> None:
    """Carry out what a dry run listed, each effect once. Exit status 1 where something is left."""
    with open_client() as client:
        applied = client.request("POST", f"{_path(run_id)}/apply").document
    if as_json:
        output.json_object(applied)
    else:
        _show(applied["effects"])
        charged = output.credits_text(applied["charge_microcredits"])
        output.note(f"{applied['left']} left; charged {charged}" if applied["left"] else f"done; charged {charged}")
    if not applied["complete"]:
        raise typer.Exit(Exit.FAILURE)


def replay(run_id: RunId, as_json: AsJson = False) -> None:
    """Run a run again from its record; nothing is performed. Exit status 1 where it does not end as it did."""
    with open_client() as client:
        replayed = client.request("POST", f"{_path(run_id)}/replay").document
    if as_json:
        output.json_object(replayed)
    else:
        output.fields((name, replayed[name]) for name in ("same", "outcome", "result", "error", "divergence"))
    if not replayed["same"]:
        raise typer.Exit(Exit.FAILURE)


def _show(items: Iterable[Mapping[str, Any]]) -> None:
    output.table(
        ("SEQ", "GLOVE", "STATUS", "MS", "REQUEST"),
        (
            (effect["seq"], effect["glove"], effect["status"], effect["duration_ms"], effect["request"])
            for effect in items
        ),
    )


def _path(run_id: str) -> str:
    return f"/runs/{quoted(run_id)}"
