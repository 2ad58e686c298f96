"""`glovebox login` at a real auth API: by password and by code, kept privately, refreshed, ended."""

import json
import re
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from server.cli.errors import Exit
from tests.acceptance.running import RunningServer
from tests.acceptance.shell import COMMAND, Shell
from tests.support.supabase import PASSWORD, Lite

CODE_S_MAX = 10


@pytest.fixture
def email(lite: Lite, supabase_server: RunningServer) -> str:
    """A user who signed up, on a project that a server uses."""
    chosen = f"alice-{uuid4().hex}@example.com"
    lite.sign_up(chosen)
    return chosen


@pytest.fixture
def shell(lite: Lite, supabase_server: RunningServer, tmp_path: Path) -> Shell:
    return Shell(
        tmp_path,
        {
            "GLOVEBOX_URL": supabase_server.base_url,
            "SUPABASE_URL": lite.project.url,
            "SUPABASE_PUBLISHABLE_KEY": lite.project.publishable_key,
        },
    )


def kept(shell: Shell) -> Path:
    return shell.home / ".config/glovebox/sessions.json"


def sessions(shell: Shell) -> Any:
    return json.loads(kept(shell).read_text())


def let_it_end_soon(shell: Shell) -> None:
    known = sessions(shell)
    for session in known.values():
        session["expires_at_s"] = int(time.time()) + 5
    kept(shell).write_text(json.dumps(known))


def test_password_signs_in_and_the_other_commands_use_it(shell: Shell, email: str) -> None:
    nobody = shell("agents", "list")
    signed_in = shell("login", "--email", email, stdin=f"{PASSWORD}\n")
    who = shell("whoami", "--json")
    listed = shell("agents", "list", "--json")

    assert (nobody.exit_code, signed_in.exit_code, listed.exit_code) == (Exit.AUTH, 0, 0)
    assert "glovebox login" in nobody.err
    assert (who.object["email"], who.object["by"]) == (email, "glovebox login")
    assert stat.S_IMODE(kept(shell).stat().st_mode) == 0o600
    assert stat.S_IMODE(kept(shell).parent.stat().st_mode) == 0o700
    assert PASSWORD not in kept(shell).read_text() + signed_in.out + signed_in.err


def test_one_time_code_signs_in(shell: Shell, email: str, lite: Lite) -> None:
    before = lite.log.stat().st_size
    process = subprocess.Popen(
        [*COMMAND, "login", "--email", email, "--code"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=shell.home,
        env=shell.environment,
    )
    # The command waits for the code that the project mails; this one prints its mails.
    out, err = process.communicate(f"{mailed_code(lite, before)}\n", timeout=30)

    assert (process.returncode, out) == (0, ""), err
    assert shell("whoami", "--json").object["email"] == email
    assert shell("login", "--email", "nobody@example.com", "--code", stdin="123456\n").exit_code != 0


def mailed_code(lite: Lite, after_bytes: int) -> str:
    deadline = time.monotonic() + CODE_S_MAX
    while time.monotonic() < deadline:
        mails = lite.log.read_bytes()[after_bytes:].decode(errors="replace")
        if found := re.search(r"\b[0-9]{6}\b", mails):
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no code was mailed")


def test_session_that_ends_soon_is_refreshed_once_however_many_commands_come(shell: Shell, email: str) -> None:
    shell("login", "--email", email, stdin=f"{PASSWORD}\n")
    (before,) = sessions(shell).values()
    let_it_end_soon(shell)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: shell("credits", "show"), range(4)))

    (after,) = sessions(shell).values()
    assert [outcome.exit_code for outcome in outcomes] == [0] * 4
    assert after["refresh_token"] != before["refresh_token"]
    assert after["expires_at_s"] > time.time() + 600
    assert stat.S_IMODE(kept(shell).stat().st_mode) == 0o600


def test_logging_out_ends_the_session_here_and_there(shell: Shell, email: str, lite: Lite) -> None:
    shell("login", "--email", email, stdin=f"{PASSWORD}\n")
    (session,) = sessions(shell).values()

    out = shell("logout")
    again = shell("logout")

    assert (out.exit_code, again.exit_code) == (0, 0)
    assert sessions(shell) == {}
    assert shell("credits", "show").exit_code == Exit.AUTH
    refreshed = httpx.post(
        f"{lite.project.url}/auth/v1/token?grant_type=refresh_token",
        json={"refresh_token": session["refresh_token"]},
        headers={"apikey": lite.project.publishable_key},
        trust_env=False,
    )
    assert refreshed.is_client_error


def test_session_whose_refresh_token_is_spent_wants_a_new_login(shell: Shell, email: str) -> None:
    shell("login", "--email", email, stdin=f"{PASSWORD}\n")
    known = sessions(shell)
    for session in known.values():
        session.update(expires_at_s=1, refresh_token="spent")
    kept(shell).write_text(json.dumps(known))

    refused = shell("credits", "show")

    assert refused.exit_code == Exit.AUTH
    assert "glovebox login" in refused.err


def test_wrong_password_is_refused_and_nothing_is_kept(shell: Shell, email: str) -> None:
    refused = shell("login", "--email", email, stdin="wrong\n")
    nothing = shell("login", "--email", email, stdin="")

    assert (refused.exit_code, nothing.exit_code) == (Exit.AUTH, Exit.FAILURE)
    assert not kept(shell).exists()


def test_token_is_never_sent_to_another_server_than_the_one_it_is_for(shell: Shell, email: str) -> None:
    shell("login", "--email", email, stdin=f"{PASSWORD}\n")

    elsewhere = shell.with_(GLOVEBOX_URL="http://127.0.0.1:9")("credits", "show")

    assert elsewhere.exit_code == Exit.AUTH


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_file_that_others_may_have_read_is_not_used(shell: Shell, email: str, mode: int) -> None:
    shell("login", "--email", email, stdin=f"{PASSWORD}\n")
    kept(shell).chmod(mode)

    refused = shell("credits", "show")

    assert refused.exit_code == Exit.FAILURE
    assert "others may have read" in refused.err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SUPABASE_URL": ""}, "SUPABASE_URL"),
        ({"SUPABASE_PUBLISHABLE_KEY": ""}, "SUPABASE_PUBLISHABLE_KEY"),
        ({"SUPABASE_URL": "http://project.example"}, "https"),
        ({"SUPABASE_URL": "http://127.0.0.1:9"}, "no answer"),
    ],
)
def test_without_a_project_the_command_says_what_to_set(
    shell: Shell, email: str, changes: dict[str, str], said: str
) -> None:
    refused = shell.with_(**changes)("login", "--email", email, stdin=f"{PASSWORD}\n")

    assert refused.exit_code == Exit.FAILURE
    assert said in refused.err
