"""`glovebox secrets`: give agents secrets, list their names, take them away, over HTTP."""

import sys
from typing import Annotated

import typer

from server.cli import output
from server.cli.client import open_client
from server.cli.errors import CliError
from server.cli.options import AgentName, AsJson
from server.cli.paths import quoted

VALUE_CHARS_MAX = 64 * 1024

SecretName = Annotated[str, typer.Argument(metavar="SECRET", help="The secret's name, as `ctx.secrets.use` has it.")]

app = typer.Typer(help="Give agents secrets; nobody is ever shown their values.", no_args_is_help=True)


@app.command("set")
def set_secret(
    agent_name: AgentName,
    name: SecretName,
    hosts: Annotated[list[str], typer.Option("--host", help="Where it may be sent to; may be repeated.")],
    as_json: AsJson = False,
) -> None:
    """Give an agent a secret. Its value is asked for, or read from stdin: as an argument, others would see it."""
    body = {"value": _read_value(), "hosts": hosts}
    with open_client() as client:
        stored = client.request("PUT", _path(agent_name, name), body=body).document
    if as_json:
        output.json_object(stored)
    else:
        output.note(f"{agent_name} has {stored['name']}, for {', '.join(stored['hosts'])}")


@app.command("list")
def list_secrets(agent_name: AgentName, as_json: AsJson = False) -> None:
    """List an agent's secrets, without their values."""
    with open_client() as client:
        found = client.get(f"/agents/{quoted(agent_name)}/secrets")
    if as_json:
        output.json_object(found)
        return
    output.table(
        ("SECRET", "HOSTS", "CREATED", "UPDATED"),
        (
            (
                secret["name"],
                " ".join(secret["hosts"]),
                *(output.moment(secret[at]) for at in ("created_at", "updated_at")),
            )
            for secret in found["items"]
        ),
    )


@app.command()
def delete(agent_name: AgentName, name: SecretName, as_json: AsJson = False) -> None:
    """Take a secret from an agent."""
    with open_client() as client:
        client.request("DELETE", _path(agent_name, name))
    if as_json:
        output.json_object({"name": name, "deleted": True})
    else:
        output.note(f"{agent_name} has no {name} any more")


def _read_value() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("value", hide_input=True))
    value = sys.stdin.read(VALUE_CHARS_MAX + 1).removesuffix("\n")
    if not value or len(value) > VALUE_CHARS_MAX:
        raise CliError("stdin has no value, or too long a one", hint='printf %s "$VALUE" | glovebox secrets set ...')
    return value


def _path(agent_name: str, name: str) -> str:
    return f"/agents/{quoted(agent_name)}/secrets/{quoted(name)}"
