"""How often a warm invocation goes to the database: twice, once to begin and once to finish."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import Caller, server_process
from tests.support.database import Postmaster, bundled_binaries, database_from, make_template, running_postmaster

CALLS = 25
ECHO = "def run(inputs):\n    return inputs"
# What a server does by its clock, whatever it is called for.
OWN = ("register_server", "reap_runs", "purge", "cancel_requests", "listen", "find_api_key", "touch_api_keys")


@pytest.fixture(scope="module")
def postmaster() -> Iterator[Postmaster]:
    with running_postmaster(bundled_binaries(), log_statement="all", log_line_prefix="%u ") as running:
        yield running


def statements(log: str) -> Counter[str]:
    """Statements of the server, by the function that they call, or by their first words."""
    found: Counter[str] = Counter()
    for text in re.findall(r"^glovebox_login LOG: +(?:execute [^:]*|statement): (.*(?:\n\t.*)*)", log, re.MULTILINE):
        called = re.search(r"glovebox\.(\w+)", text)
        name = called[1] if called else " ".join(text.split()[:3])
        if not any(own in text for own in OWN):
            found[name] += 1
    return found


async def test_warm_invocation_takes_two_statements(postmaster: Postmaster, tmp_path: Path) -> None:
    template = await asyncio.to_thread(make_template, postmaster.cluster)
    user = Caller.new()
    with database_from(postmaster.cluster, template) as database, server_process(database, tmp_path) as server:
        async with user.at(server) as client:
            created = await client.post("/agents", json={"agent_name": "echo", "code": ECHO})
            assert created.status_code == 201
            assert (await client.get(user.path("echo"))).status_code == 200
            before = statements(postmaster.log)
            for _ in range(CALLS):
                assert (await client.get(user.path("echo"))).status_code == 200
            live = statements(postmaster.log) - before
            for _ in range(CALLS):
                assert (await client.get(user.path("echo"), params={"test": "true"})).status_code == 200
            dry = statements(postmaster.log) - before - live

    assert live == {"begin_run": CALLS, "finish_run": CALLS}
    assert dry == {"take_dry_run": CALLS, "finish_run": CALLS}  # whose statement begins the run too
