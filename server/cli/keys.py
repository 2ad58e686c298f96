"""`glovebox keys`: make, list and revoke API keys over HTTP."""

from typing import Annotated
from urllib.parse import quote

import typer

from server.cli import output
from server.cli.client import open_client
from server.cli.options import AsJson, Limit

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Option("--name", help="For you, to tell keys apart.")] = "",
    expires_in_days: Annotated[
        int | None,
        typer.Option("--expires-in-days", min=1, metavar="DAYS", help="Default: lives until it is revoked."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, and nothing else: it is never shown again."""
    body = {"name": name} if expires_in_days is None else {"name": name, "expires_in_days": expires_in_days}
    with open_client() as client:
        made = client.request("POST", "/api-keys", body=body).document
    if as_json:
        output.json_object(made)
        return
    output.line(made["key"])
    output.note(f"made key {made['id']}; it is not shown again: export GLOVEBOX_TOKEN=<the key>")


@app.command("list")
def list_keys(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List your keys, newest first, revoked ones too."""
    with open_client() as client:
        page = client.pages("/api-keys", limit=limit)
    if as_json:
        output.json_object(page)
        return
    output.table(
        ("KEY", "NAME", "BEGINS", "ENDS", "CREATED", "EXPIRES", "LAST USED", "REVOKED"),
        (
            (
                key["id"],
                key["name"],
                f"gbx_{key['prefix']}",
                key["last4"],
                *(_moment(key[moment]) for moment in ("created_at", "expires_at", "last_used_at", "revoked_at")),
            )
            for key in page["items"]
        ),
    )
    if not page["items"]:
        output.note("no keys yet; make one: glovebox keys create --name laptop")


@app.command()
def revoke(
    api_key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="The key's id, as `keys list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a key: within 5 seconds no server takes it any more."""
    with open_client() as client:
        client.request("DELETE", f"/api-keys/{quote(api_key_id, safe='')}")
    if as_json:
        output.json_object({"id": api_key_id, "revoked": True})
    else:
        output.note(f"revoked {api_key_id}")


def _moment(text: str | None) -> str | None:
    return None if text is None else output.moment(text)
