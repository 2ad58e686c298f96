"""The log of a server process: which request and which run each line is about, and nothing that is secret."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from server.auth.testing import SECRET
from tests.acceptance.processes import Caller, server_process, token_of
from tests.support.database import LOGIN_PASSWORD, Database

INPUT_CANARY = "canary-in-the-inputs"
CODE_CANARY = "canary_in_the_code"
LOG_CANARY = "canary-in-the-agents-log"
KEY = "gbx_0123456789abcdef0123456789abcdef_12345678"
METRICS_TOKEN = "a-scraper-and-nobody-else"
CODE = f"def run(inputs):\n    {CODE_CANARY} = inputs\n    print({LOG_CANARY!r})\n    return {CODE_CANARY}"


async def test_lines_have_their_ids_and_no_secret(database: Database, tmp_path: Path) -> None:
    log, user = tmp_path / "log", Caller.new()
    token = token_of(user.id)
    with server_process(database, tmp_path, log=log, GLOVEBOX_METRICS_TOKEN=METRICS_TOKEN) as process:
        async with user.at(process) as client:
            assert (await client.post("/agents", json={"agent_name": "echo", "code": CODE})).status_code == 201
            run = await client.get(user.path("echo"), params={"text": INPUT_CANARY, "token": token})
            await client.post(user.path("echo"), json={"text": INPUT_CANARY})
            await client.get(f"/agents/{uuid4()}/echo", params={"text": INPUT_CANARY})
            for bad in (f"Bearer {token}x", f"Bearer {KEY}", f"Basic {token}", token):
                assert (await client.get("/runs", headers={"Authorization": bad})).status_code == 401
            await client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})

    text = log.read_text()
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    (of_run,) = [line for line in requests if line.get("run_id") == run.headers["glovebox-run-id"]]

    assert run.status_code == 200
    assert of_run["request_id"] == run.headers["x-request-id"]
    assert of_run["user_id"] == str(user.id)
    assert len({line["request_id"] for line in requests}) == len(requests) == 9
    assert all({"timestamp", "level", "event"} <= set(line) for line in lines)
    assert {"started", "listening", "stopping"} <= {line["event"] for line in lines}
    secrets = (token, token[-20:], SECRET, LOGIN_PASSWORD, KEY, METRICS_TOKEN, INPUT_CANARY, CODE_CANARY, LOG_CANARY)
    assert [secret for secret in secrets if secret in text] == []
