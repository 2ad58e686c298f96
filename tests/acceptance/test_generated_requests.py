"""Requests that `schemathesis` generates from the OpenAPI document: every answer is documented, no 5xx is ours.

Each on its own, and in chains along the document's links: what one request made is what the next is about.
"""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.running import RunningServer, User
from tests.acceptance.shell import ROOT

PHASES = "examples,fuzzing,stateful"
ENDING = "erase_account"  # the rest would be somebody else's
HOOKS = "tests.support.schemathesis_checks"
CHECKS = ("no_defect_of_ours", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


async def generate(server: RunningServer, user: User, home: Path, *arguments: str) -> int:
    """Send what `schemathesis run` makes of the document; fails with its report. How many requests there were."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.base_url}/openapi.json"),
        *("--header", f"Authorization: Bearer {server.token_for(user.id)}"),
        *("--checks", ",".join(CHECKS), "--exclude-operation-id", ENDING, "--suppress-health-check", "all"),
        *("--seed", "1", "--no-color", "--generation-database", "none", "--warnings", "off", *arguments),
    ]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=home,
        env={"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": HOOKS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    generated = re.search(r"([\d,]+) generated", done.stdout)
    assert generated is not None, done.stdout[-2_000:]
    return int(generated[1].replace(",", ""))


async def test_generated_requests_get_documented_answers(server: RunningServer, alice: User, tmp_path: Path) -> None:
    assert await generate(server, alice, tmp_path, "--phases", PHASES, "--max-examples", "8") >= 200


@pytest.mark.long
async def test_20_000_generated_requests_get_documented_answers(
    server: RunningServer, alice: User, tmp_path: Path
) -> None:
    assert await generate(server, alice, tmp_path, "--phases", PHASES, "--max-examples", "700") >= 20_000
