"""`glovebox demo`: the whole walk once, on a server of its own, with the commands to repeat it."""

import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from pydantic import AnyHttpUrl, SecretStr

import server
from agents_store.embedded import prepare_data_dir, read_or_create_private_file
from agents_store.errors import StoreMisconfiguredError
from server.auth.issuer import LocalIssuer
from server.cli import output
from server.cli.child_server import ChildServer
from server.cli.client import Answer, ApiClient, ClientSettings
from server.cli.errors import CliError, ProblemError
from server.cli.manifest import read_agent
from server.cli.options import DataDir, load_settings
from server.settings import Settings, default_data_dir

DEMO_USER = UUID("00000000-0000-4000-8000-00000000de30")
DEMO_AGENT = "unit-convert"
DEMO_INPUTS = {"value": "26.2", "from": "mi", "to": "km"}
TOKEN_TTL_S = 600
AUTHORIZATION = '-H "Authorization: Bearer $GLOVEBOX_TOKEN"'


def demo(data_dir: DataDir = None) -> None:
    """Show all of it: a server, an agent from a file, a run by its URL, a dry run, the run and the ledger."""
    with _started_server(data_dir) as (url, home):
        token = LocalIssuer.load(home).mint(DEMO_USER, TOKEN_TTL_S)
        settings = ClientSettings(url=AnyHttpUrl(url), token=SecretStr(token))
        _heading(f"A server at {url}, its database in {home}, and a token for it", _token_command(home))
        with ApiClient(settings) as client:
            agent = _create_agent(client, home)
            answer = _run_agent(client, agent)
            _dry_run_agent(client, agent)
            _show_run(client, str(answer.headers["Glovebox-Run-Id"]))
            _show_ledger(client)
    _say_how_to_go_on(home)


@contextmanager
def _started_server(data_dir: Path | None) -> Iterator[tuple[str, Path]]:
    """A server's URL and data directory: the one asked for, else the first place that works."""
    refusals: list[str] = []
    with ExitStack() as running:
        for home in _candidates(data_dir):
            settings = _demo_settings(home)
            try:
                prepare_data_dir(home)
                child = running.enter_context(ChildServer(settings))
            except StoreMisconfiguredError as exc:
                refusals.append(str(exc))
                continue
            for refusal in refusals:
                output.note(f"passed over: {refusal}")
            yield child.url, home
            return
    raise CliError("; ".join(refusals))


def _candidates(data_dir: Path | None) -> list[Path]:
    if data_dir is not None:
        return [data_dir.expanduser().absolute()]
    checkout = _checkout()
    beside_the_source = [checkout / ".demo"] if checkout is not None else []
    return [
        *beside_the_source,
        default_data_dir().with_name("glovebox-demo"),
        Path(tempfile.gettempdir()) / f"glovebox-demo-{os.geteuid()}",
    ]


def _checkout() -> Path | None:
    root = Path(server.__file__).resolve().parents[1]
    return root if (root / "pyproject.toml").is_file() and (root / "examples").is_dir() else None


def _example(name: str) -> Path:
    installed, checkout = Path(__file__).with_name("examples"), _checkout()
    folder = (checkout / "examples" if checkout is not None else installed) / name
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _demo_settings(home: Path) -> Settings:
    """The defaults on an embedded database in `home`, whatever the environment says about other databases."""
    return load_settings(
        home,
        _env_file=None,
        database_url=None,
        migrate_database_url=None,
        supabase_url=None,
        supabase_jwt_secret=None,
        jwt_issuer=None,
        public_url=None,
        log_format="json",
    )


def _create_agent(client: ApiClient, home: Path) -> dict[str, Any]:
    folder = _example(DEMO_AGENT)
    body = {"agent_name": DEMO_AGENT, **read_agent(folder)}
    text = json.dumps(body, indent=1)
    # Its name follows its content: a private file is never replaced.
    file_name = f"create-{DEMO_AGENT}-{sha256(text.encode()).hexdigest()[:8]}.json"
    read_or_create_private_file(home, file_name, text.encode())
    _heading(
        f"1. An agent from a file ({folder / 'agent.py'})",
        f"curl -X POST {client.base_url}/agents {AUTHORIZATION} \\\n"
        f"       -H 'Content-Type: application/json' -d @{shlex.quote(str(home / file_name))}",
    )
    agent = _create_or_reuse(client, body)
    output.line(f"{agent['url']}  (tier {agent['tier']}, version {agent['version']})")
    return agent


def _create_or_reuse(client: ApiClient, body: dict[str, Any]) -> dict[str, Any]:
    """The demo's agent as it is in the file; one that an earlier demo made from another text is replaced."""
    path = f"/agents/{body['agent_name']}"
    try:
        agent = client.get(path)
        if agent.get("code") == body["code"]:
            output.note("it exists since an earlier demo")
            return agent
        client.request("DELETE", path)
    except ProblemError as exc:
        if exc.status != HTTPStatus.NOT_FOUND:
            raise
    return client.request("POST", "/agents", body=body).document


def _run_agent(client: ApiClient, agent: dict[str, Any]) -> Answer:
    path = f"/agents/{agent['user_id']}/{agent['agent_name']}"
    _heading("2. Run it by its URL", f"curl -i {AUTHORIZATION} '{client.base_url}{path}?{urlencode(DEMO_INPUTS)}'")
    answer = client.request("GET", path, params=list(DEMO_INPUTS.items()))
    for name, value in answer.headers.items():
        if name.startswith("glovebox-") or name == "server-timing":
            output.line(f"{name}: {value}")
    output.line(output.as_json(answer.body))
    return answer


def _dry_run_agent(client: ApiClient, agent: dict[str, Any]) -> None:
    path = f"/agents/{agent['user_id']}/{agent['agent_name']}"
    params = [*DEMO_INPUTS.items(), ("test", "true")]
    _heading(
        "3. A dry run: the same code in the same sandbox, nothing charged",
        f"curl {AUTHORIZATION} '{client.base_url}{path}?{urlencode(params)}'",
    )
    output.line(output.as_json(client.request("GET", path, params=params).body, indent=2))


def _show_run(client: ApiClient, run_id: str) -> None:
    _heading("4. The run, as it is stored", f"curl {AUTHORIZATION} {client.base_url}/runs/{run_id}")
    output.line(output.as_json(client.get(f"/runs/{run_id}"), indent=2))
    _heading("   and what it logged", f"curl {AUTHORIZATION} {client.base_url}/runs/{run_id}/logs")
    output.line(output.as_json(client.get(f"/runs/{run_id}/logs")))


def _show_ledger(client: ApiClient) -> None:
    _heading("5. The ledger, newest first", f"curl {AUTHORIZATION} '{client.base_url}/credits/entries?limit=5'")
    for entry in client.get("/credits/entries", [("limit", "5")])["items"]:
        output.line(output.as_json(entry))
    _heading("   and the balance", f"curl {AUTHORIZATION} {client.base_url}/credits")
    output.line(output.as_json(client.get("/credits")))


def _say_how_to_go_on(home: Path) -> None:
    command, option = _own_command(), f"--data-dir {shlex.quote(str(home))}"
    output.line(
        f"""
The demo's server has stopped; its data stays in {home}. Go on:

  {command} serve {option}

and in another terminal

  {_token_command(home)}
  {command} agents run {DEMO_AGENT} value=-40 from=F to=C
  curl -H "Authorization: Bearer $GLOVEBOX_TOKEN" \\
       'http://127.0.0.1:8000/agents/{DEMO_USER}/{DEMO_AGENT}?value=-40&from=F&to=C'
  {command} agents create cart-price --file {_example("cart-price")}
  {command} doctor {option}"""
    )


def _token_command(home: Path) -> str:
    return f"export GLOVEBOX_TOKEN=$({_own_command()} token --user {DEMO_USER} --data-dir {shlex.quote(str(home))})"


def _own_command() -> str:
    """How this program is called from here."""
    script = Path(sys.executable).with_name("glovebox")
    if shutil.which("glovebox") == str(script) or not script.exists():
        return "glovebox"
    return shlex.quote(str(script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script))


def _heading(title: str, command: str) -> None:
    output.line()
    output.emphasis(title, style="bold", stream=sys.stdout)
    output.line(f"   $ {command}")
