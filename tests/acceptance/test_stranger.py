"""A stranger with nothing but the OpenAPI document: a client generated from it walks the whole way."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.running import RunningServer, User

GENERATE_S_MAX = 120
CODE = """
import time
def run(inputs):
    for number in range(inputs["count"]):
        print("tick", number)
        time.sleep(0.05)
    return number
"""


class GeneratedClient:
    """Modules of a package that was generated a moment ago."""

    def __init__(self, base_url: str, token: str) -> None:
        self.authenticated = self.module("client").AuthenticatedClient(base_url=base_url, token=token)

    @staticmethod
    def module(name: str) -> Any:
        return importlib.import_module(f"glovebox_client.{name}")

    def call(self, operation: str, *path: object, **arguments: object) -> Any:
        return self.module(f"api.{operation}").sync(*path, client=self.authenticated, **arguments)


@pytest.fixture
def generated(
    server: RunningServer, alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GeneratedClient]:
    document = tmp_path / "openapi.json"
    document.write_text(httpx.get(f"{server.base_url}/openapi.json").text)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    target = tmp_path / "made/glovebox_client"
    target.parent.mkdir()
    subprocess.run(
        [*command, "--path", str(document), "--output-path", str(target)],
        check=True,
        capture_output=True,
        timeout=GENERATE_S_MAX,
        env={"PATH": str(Path(sys.executable).parent)},
    )
    monkeypatch.syspath_prepend(target.parent)
    client = GeneratedClient(server.base_url, server.token_for(alice.id))
    yield client
    client.authenticated.get_httpx_client().close()
    for name in [name for name in sys.modules if name.split(".")[0] == "glovebox_client"]:
        del sys.modules[name]


def events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Name and data of each event of a stream."""
    event = "message"
    for line in lines:
        if line.startswith("event:"):
            event = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield event, json.loads(line.removeprefix("data:"))
            event = "message"


def test_stranger_makes_an_agent_follows_it_live_cancels_it_and_reads_the_charge(
    generated: GeneratedClient, alice: User
) -> None:
    models = generated.module("models")
    agent = generated.call("agents.create_agent", body=models.CreateAgentCreateAgent(agent_name="ticker", code=CODE))
    assert (agent.agent_name, agent.version) == ("ticker", 1)

    inputs = models.InvokeAgentBody()
    inputs["count"] = 400
    run = generated.call("invocations.invoke_agent", alice.id, "ticker", body=inputs, prefer="respond-async")
    assert run.state == "executing"

    stream = generated.authenticated.get_httpx_client().stream(
        "GET", f"/runs/{run.id}/logs", headers={"Accept": "text/event-stream"}, timeout=30
    )
    with stream as answer:
        seen = events(answer.iter_lines())
        first = [next(seen) for _ in range(3)]
        generated.call("runs.cancel_run", run.id)
        rest = list(seen)
    assert [(name, data["message"]) for name, data in first] == [("log", f"tick {number}") for number in range(3)]
    assert rest[-1][0] == "done"
    assert rest[-1][1]["state"] == "cancelled"

    ended = generated.call("runs.show_run", run.id)
    entries = generated.call("credits_.list_credit_entries").items
    balance = generated.call("credits_.show_credits")
    assert (ended.state, ended.outcome) == ("cancelled", "cancelled")
    assert ended.charge_microcredits > 0
    assert (entries[0].kind, entries[0].amount_microcredits) == ("settle", ended.charge_microcredits)
    assert balance.available_microcredits == 10_000_000 - ended.charge_microcredits
    assert balance.held_microcredits == 0
