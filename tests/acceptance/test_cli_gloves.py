"""The command line's memory, secrets and runs of gloves, against a real server."""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.running import RunningServer
from tests.acceptance.shell import Shell
from tests.acceptance.worn import glove_server

CODE = """
def run(inputs, ctx):
    ctx.memory.put("n", ctx.memory.get("n", 0) + 1)
    ctx.files.write("report.txt", "text")
    return ctx.memory.get("n")
"""


@pytest.fixture(scope="module")
def worn() -> Iterator[RunningServer]:
    with glove_server() as started:
        yield started


@pytest.fixture
def glovebox(worn: RunningServer, tmp_path: Path) -> Shell:
    shell = Shell(tmp_path, {"GLOVEBOX_URL": worn.base_url, "GLOVEBOX_TOKEN": worn.token_for(uuid4())})
    made = httpx.post(
        f"{worn.base_url}/agents", json={"agent_name": "counts", "code": CODE}, headers=bearer(shell), trust_env=False
    )
    assert made.status_code == 201, made.text
    return shell


def bearer(shell: Shell) -> dict[str, str]:
    return {"Authorization": f"Bearer {shell.variables['GLOVEBOX_TOKEN']}"}


def test_memory_from_put_to_delete(glovebox: Shell) -> None:
    assert glovebox("memory", "put", "counts", "a/b", '{"n": [1]}', "--tag", "t").exit_code == 0
    assert glovebox("memory", "list", "counts").out == "a/b\n"
    assert json.loads(glovebox("memory", "show", "counts", "a/b").out) == {"n": [1]}
    assert glovebox("memory", "delete", "counts", "a/b").exit_code == 0
    assert glovebox("memory", "show", "counts", "a/b").exit_code != 0


def test_secret_comes_from_stdin_and_is_never_printed(glovebox: Shell) -> None:
    made = glovebox("secrets", "set", "counts", "TOKEN", "--host", "a.example", stdin="s3cr3t-value\n")
    listed = glovebox("secrets", "list", "counts")

    assert made.exit_code == 0, made.err
    assert "TOKEN\ta.example" in listed.out
    assert "s3cr3t-value" not in made.out + made.err + listed.out
    assert glovebox("secrets", "set", "counts", "TOKEN", "--host", "a.example", stdin="").exit_code == 1
    assert glovebox("secrets", "delete", "counts", "TOKEN").exit_code == 0


def test_dry_run_is_looked_at_applied_and_replayed(glovebox: Shell) -> None:
    with httpx.Client(base_url=glovebox.variables["GLOVEBOX_URL"], headers=bearer(glovebox), trust_env=False) as http:
        user_id = http.get("/account").json()["user_id"]
        dry = http.post(f"/agents/{user_id}/counts", params={"test": "1"}, json={})
        run_id = dry.headers["glovebox-run-id"]

        listed = glovebox("runs", "effects", run_id)
        applied = json.loads(glovebox("runs", "apply", run_id, "--json").out)
        replayed = glovebox("runs", "replay", run_id)
        remembered = http.get("/agents/counts/memory/n").json()["value"]

    assert [line.split("\t")[1:3] for line in listed.out.splitlines()[1:3]] == [
        ["memory.get", "performed"],
        ["memory.put", "withheld"],
    ]
    assert applied["complete"]
    assert glovebox("runs", "files", applied["run_id"]).out.splitlines()[1].startswith("report.txt\t4\t")
    assert remembered == 1
    assert replayed.exit_code == 0
    assert "same" in replayed.out


def test_rotation_seals_with_the_new_key_beside_a_running_server(
    worn: RunningServer, glovebox: Shell, tmp_path: Path
) -> None:
    assert glovebox("secrets", "set", "counts", "TOKEN", "--host", "a.example", stdin="s3cr3t-value").exit_code == 0
    data_dir = worn.settings.data_dir
    old = base64.b64encode((data_dir / "secrets_key").read_bytes()).decode()
    new = base64.b64encode(os.urandom(32)).decode()
    operator = replace(glovebox, variables={**glovebox.variables, "GLOVEBOX_SECRETS_KEYS": f"{new},{old}"})
    stranger = replace(glovebox, variables={**glovebox.variables, "GLOVEBOX_SECRETS_KEYS": new})

    unreadable = stranger("db", "rotate-secrets", "--json", "--data-dir", data_dir)
    first = operator("db", "rotate-secrets", "--json", "--data-dir", data_dir)

    assert (unreadable.exit_code, json.loads(unreadable.out)["rotated"]) == (1, 0)
    assert json.loads(first.out)["rotated"] >= 1
    assert json.loads(first.out)["unreadable"] == 0
    assert (old not in first.out + first.err, new not in first.out + first.err) == (True, True)
