"""The command line for real: each command a process of its own, against a server that is one too."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from server.auth.issuer import LocalIssuer
from tests.acceptance.running import open_directory
from tests.acceptance.shell import COMMAND, COMMAND_S_MAX, ROOT, Shell, serving

EXAMPLES = ROOT / "examples"
SLOW_CODE = "def run(inputs):\n    while True:\n        pass\n"
ENDLESS_CODE = "import time\ndef run(inputs):\n    print('started')\n    while True:\n        time.sleep(0.05)\n"


@pytest.fixture(scope="module")
def workplace() -> Iterator[Path]:
    with open_directory() as path:
        yield path


@pytest.fixture(scope="module")
def data_dir(workplace: Path) -> Path:
    return workplace / "data"


@pytest.fixture(scope="module")
def url(workplace: Path, data_dir: Path) -> Iterator[str]:
    with serving(Shell(workplace, {}), data_dir) as (_, url):
        yield url


@pytest.fixture
def nobody(tmp_path: Path, url: str) -> Shell:
    return Shell(tmp_path, {"GLOVEBOX_URL": url})


@pytest.fixture
def user_id() -> str:
    return str(uuid4())


@pytest.fixture
def glovebox(nobody: Shell, user_id: str, data_dir: Path) -> Shell:
    return nobody.with_(GLOVEBOX_TOKEN=LocalIssuer.load(data_dir).mint(UUID(user_id), ttl_s=3600))


@pytest.fixture
def offline(tmp_path: Path) -> Shell:
    """A user whose server is not there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return Shell(tmp_path, {"GLOVEBOX_URL": f"http://127.0.0.1:{port}", "GLOVEBOX_TOKEN": "a.b.c"})


def write(shell: Shell, name: str, code: str) -> Path:
    path = shell.home / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(code)
    return path


def test_token_is_alone_on_standard_output_and_opens_the_server(nobody: Shell, data_dir: Path, user_id: str) -> None:
    token = nobody("token", "--user", user_id, "--ttl", "30s", "--data-dir", data_dir)
    balance = nobody.with_(GLOVEBOX_TOKEN=token.out.strip())("credits", "show", "--json")

    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", token.out)
    assert balance.object["held_microcredits"] == 0


def test_agent_goes_its_whole_way(glovebox: Shell, url: str, user_id: str) -> None:
    created = glovebox("agents", "create", "convert", "--file", EXAMPLES / "unit-convert")
    listed = glovebox("agents", "list", "--json").object["items"]
    shown = glovebox("agents", "show", "convert", "--json").object
    ran = glovebox("agents", "run", "convert", "value=26.2", "from=mi", "to=km")
    logs = glovebox("agents", "logs", "convert")
    deleted = glovebox("agents", "delete", "convert")
    gone = glovebox("agents", "show", "convert")

    assert (created.exit_code, created.out) == (0, f"{url}/agents/{user_id}/convert\n")
    assert [agent["agent_name"] for agent in listed] == ["convert"]
    assert shown["code"] == (EXAMPLES / "unit-convert/agent.py").read_text()
    assert shown["description"].startswith("Convert lengths")
    assert (ran.exit_code, ran.object["value"]) == (0, "42.1648128")
    assert "charged 0." in ran.err
    assert "26.2 mi = 42.1648128 km" in logs.out
    assert deleted.exit_code == 0
    assert gone.exit_code == 4


def test_run_as_json_is_one_object_with_what_it_cost(glovebox: Shell) -> None:
    glovebox("agents", "create", "convert", "--file", EXAMPLES / "unit-convert/agent.py")

    ran = glovebox("agents", "run", "convert", "value=1", "from=km", "to=m", "--json")

    assert ran.out.count("\n") == 1
    assert ran.object["result"]["value"] == "1000"
    assert ran.object["tier"] == "restricted"
    assert ran.object["charge_microcredits"] > 0


@pytest.mark.parametrize("source", ["argument", "file", "stdin"])
def test_inputs_that_are_nested_go_as_json(glovebox: Shell, source: str) -> None:
    glovebox("agents", "create", "cart", "--file", EXAMPLES / "cart-price")
    text = json.dumps({"items": [{"sku": "tea", "quantity": 12, "unit_price": "2.25"}]})
    write(glovebox, "inputs.json", text)
    argument = {"argument": text, "file": "@inputs.json", "stdin": "@-"}[source]

    ran = glovebox("agents", "run", "cart", "--input", argument, stdin=text)

    assert ran.object["subtotal"] == "25.65"


def test_dry_run_is_free_and_says_so(glovebox: Shell) -> None:
    glovebox("agents", "create", "convert", "--file", EXAMPLES / "unit-convert")
    before = glovebox("credits", "show").out

    dry = glovebox("agents", "run", "convert", "value=1", "from=km", "to=m", "--test")
    dry_json = glovebox("agents", "run", "convert", "value=1", "from=km", "to=m", "--test", "--json")

    assert dry.object["value"] == "1000"
    assert "nothing charged" in dry.err
    assert "1 km = 1000 m" in dry.err
    assert dry_json.object["test"] is True
    assert glovebox("credits", "show").out == before


def test_ledger_shows_what_a_run_did(glovebox: Shell) -> None:
    glovebox("agents", "create", "convert", "--file", EXAMPLES / "unit-convert")
    run_id = glovebox("agents", "run", "convert", "value=1", "from=km", "to=m", "--json").object["run_id"]

    entries = glovebox("credits", "entries", "--json").object["items"]
    table = glovebox("credits", "entries").out.splitlines()

    assert [entry["kind"] for entry in entries] == ["settle", "hold", "grant"]
    assert entries[0]["run_id"] == run_id
    assert table[0].split("\t")[:3] == ["ENTRY", "KIND", "CREDITS"]
    assert len(table) == 4


def test_list_without_agents_says_how_to_make_one(glovebox: Shell) -> None:
    assert "agents create" in glovebox("agents", "list").err


def test_grant_works_beside_the_running_server_and_only_once_per_key(
    glovebox: Shell, data_dir: Path, user_id: str
) -> None:
    before = glovebox("credits", "show", "--json").object["available_microcredits"]
    grant = (
        "credits",
        "grant",
        "--user",
        user_id,
        "--credits",
        "2.5",
        "--idempotency-key",
        "k",
        "--data-dir",
        data_dir,
    )

    first, repeat = glovebox(*grant, "--json"), glovebox(*grant)
    other_amount = glovebox(*("3" if part == "2.5" else part for part in grant))

    assert first.object["available_microcredits"] == before + 2_500_000
    assert repeat.exit_code == 0
    assert other_amount.exit_code == 5
    assert glovebox("credits", "show", "--json").object["available_microcredits"] == before + 2_500_000


def test_second_server_beside_a_running_one_serves_the_same(glovebox: Shell, data_dir: Path) -> None:
    glovebox("agents", "create", "convert", "--file", EXAMPLES / "unit-convert")

    with serving(glovebox, data_dir) as (_, other_url):
        ran = glovebox.with_(GLOVEBOX_URL=other_url)("agents", "run", "convert", "value=1", "from=km", "to=m")

    assert ran.object["value"] == "1000"
    assert glovebox("credits", "show").exit_code == 0


def test_database_stands_at_this_release(nobody: Shell, data_dir: Path) -> None:
    status = nobody("db", "status", "--data-dir", data_dir, "--json")
    migrated = nobody("db", "migrate", "--data-dir", data_dir, "--json")

    assert status.object["applied"]
    assert (status.object["pending"], status.object["unknown"]) == ([], [])
    assert migrated.object == {"applied": []}


def test_without_token_or_with_a_wrong_one_it_says_how_to_get_one(nobody: Shell) -> None:
    for shell in (nobody, nobody.with_(GLOVEBOX_TOKEN="eyJhbGciOiJub25lIn0.e30.")):
        refused = shell("agents", "list")

        assert (refused.exit_code, refused.out) == (3, "")
        assert "glovebox token --user" in refused.err


def test_foreign_token_does_not_reach_another_users_agent(glovebox: Shell, nobody: Shell, data_dir: Path) -> None:
    glovebox("agents", "create", "convert", "--file", EXAMPLES / "unit-convert")
    stranger = nobody.with_(GLOVEBOX_TOKEN=LocalIssuer.load(data_dir).mint(uuid4(), ttl_s=3600))

    assert stranger("agents", "run", "convert", "value=1").exit_code == 4
    assert glovebox("agents", "run", "convert", "value=1", "from=m", "to=cm").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("agents", "show", "nosuch"),
        ("agents", "run", "nosuch", "a=1"),
        ("agents", "delete", "nosuch"),
        ("agents", "logs", "nosuch"),
        ("agents", "logs", "--run", "0192f5a0-0000-7000-8000-000000000001"),
        ("agents", "show", "../credits"),
    ],
)
def test_what_is_not_there_is_4(glovebox: Shell, arguments: tuple[str, ...]) -> None:
    refused = glovebox(*arguments)

    assert (refused.exit_code, refused.out) == (4, "")
    assert refused.err.startswith("error: ")


def test_taken_name_is_5(glovebox: Shell) -> None:
    create = ("agents", "create", "convert", "--file", EXAMPLES / "unit-convert")
    glovebox(*create)

    refused = glovebox(*create)

    assert refused.exit_code == 5
    assert "agent_exists" in refused.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("nosuch",),
        ("agents", "create", "a"),
        ("agents", "run", "a", "novalue"),
        ("agents", "run", "a", "test=1"),
        ("agents", "run", "a", "--input", "[1]"),
        ("agents", "run", "a", "x=1", "--input", "{}"),
        ("agents", "logs"),
        ("agents", "logs", "a", "--run", "b"),
        ("agents", "show", ".."),
        ("token", "--user", "me"),
        ("token", "--user", "11111111-1111-4111-8111-111111111111", "--ttl", "1y"),
        ("credits", "grant", "--user", "11111111-1111-4111-8111-111111111111", "--credits", "-1"),
        ("serve", "--port", "65536"),
    ],
)
def test_wrong_usage_is_2(offline: Shell, arguments: tuple[str, ...]) -> None:
    refused = offline(*arguments)

    assert (refused.exit_code, refused.out) == (2, "")
    assert refused.err


def test_inputs_that_do_not_fit_are_told_by_their_place(glovebox: Shell) -> None:
    glovebox("agents", "create", "convert", "--file", EXAMPLES / "unit-convert")

    refused = glovebox("agents", "run", "convert", "value=1", "from=km")

    assert (refused.exit_code, refused.out) == (1, "")
    assert "[invalid_inputs]" in refused.err
    assert "to" in refused.err.splitlines()[1]


def test_code_that_the_policy_refuses_is_told_by_its_line(glovebox: Shell) -> None:
    write(glovebox, "bad/agent.toml", 'tier = "restricted"\n')
    write(glovebox, "bad/agent.py", "def run(inputs):\n    return exec('1')\n")

    refused = glovebox("agents", "create", "bad", "--file", "bad")

    assert refused.exit_code == 1
    assert "line 2" in refused.err


def test_agent_that_fails_is_told_with_its_error_and_its_log(glovebox: Shell) -> None:
    path = write(glovebox, "bad.py", "def run(inputs):\n    print('so far')\n    raise ValueError('no good')\n")
    glovebox("agents", "create", "bad", "--file", path)

    failed = glovebox("agents", "run", "bad")
    found = re.search(r"agents logs --run (\S+)", failed.err)

    assert (failed.exit_code, failed.out) == (1, "")
    assert "ValueError: no good" in failed.err
    assert "line 3" in failed.err
    assert found is not None
    assert "so far" in glovebox("agents", "logs", "--run", found[1]).out


def test_log_cannot_steer_the_terminal(glovebox: Shell) -> None:
    path = write(glovebox, "bad.py", "def run(inputs):\n    print(chr(27) + '[2J', chr(0x202e))\n")
    glovebox("agents", "create", "bad", "--file", path)
    glovebox("agents", "run", "bad")

    logs = glovebox("agents", "logs", "bad").out

    assert "\\u001b[2J \\u202e" in logs
    assert "\x1b" not in logs


@pytest.mark.parametrize("arguments", [("agents", "list"), ("agents", "run", "a"), ("credits", "show")])
def test_server_that_is_not_there_is_told_in_one_line(offline: Shell, arguments: tuple[str, ...]) -> None:
    refused = offline(*arguments)

    assert (refused.exit_code, refused.out) == (1, "")
    assert refused.err.count("\n") == 2
    assert "glovebox serve" in refused.err


@pytest.mark.parametrize(("variable", "value"), [("GLOVEBOX_URL", "ftp://a"), ("GLOVEBOX_URL", "nonsense")])
def test_wrong_client_setting_is_named(offline: Shell, variable: str, value: str) -> None:
    refused = offline.with_(**{variable: value})("agents", "list")

    assert refused.exit_code == 1
    assert variable in refused.err


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("demo",), ("doctor",), ("db", "status")])
@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("GLOVEBOX_LOG_LEVEL", "loud", "log_level"),
        ("GLOVEBOX_CORS_ORIGINS", "not json", "cors_origins"),
    ],
)
def test_wrong_server_setting_is_named(
    offline: Shell, command: tuple[str, ...], variable: str, value: str, named: str
) -> None:
    refused = offline.with_(**{variable: value})(*command)

    assert (refused.exit_code, refused.out) == (1, "")
    assert named in refused.err


def test_secret_that_is_wrong_is_not_repeated(offline: Shell) -> None:
    refused = offline.with_(SUPABASE_JWT_SECRET="too-short-but-secret")("serve", "--port", "0")

    assert refused.exit_code == 1
    assert "at least 32 bytes" in refused.err
    assert "too-short-but-secret" not in refused.err


def test_interrupting_a_command_is_130_at_once(glovebox: Shell) -> None:
    glovebox("agents", "create", "slow", "--file", write(glovebox, "slow.py", SLOW_CODE))
    process = glovebox.start("agents", "run", "slow")
    try:
        await_live_run(glovebox)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()

    assert process.returncode == 130
    assert "Traceback" not in err


def await_live_run(shell: Shell) -> None:
    headers = {"Authorization": f"Bearer {shell.variables['GLOVEBOX_TOKEN']}"}
    deadline = time.monotonic() + COMMAND_S_MAX
    with httpx.Client(base_url=shell.variables["GLOVEBOX_URL"], headers=headers, trust_env=False) as client:
        while time.monotonic() < deadline:
            runs = client.get("/runs").json()["items"]
            if any(run["state"] == "executing" for run in runs):
                return
            time.sleep(0.05)
    raise AssertionError("no run began")


def test_port_that_is_taken_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, open_directory() as directory:
        port = str(taken.getsockname()[1])
        refused = Shell(tmp_path, {})("serve", "--port", port, "--data-dir", directory / "data")

        assert refused.exit_code == 1
        assert refused.err.startswith(f"error: cannot listen on 127.0.0.1 port {port}")
        assert not (directory / "data").exists()


def test_data_directory_that_is_not_ours_is_told_in_one_line(tmp_path: Path) -> None:
    with open_directory() as directory:
        (directory / "somebody's").write_text("x")
        refused = Shell(tmp_path, {})("serve", "--port", "0", "--data-dir", directory)

    assert refused.exit_code == 1
    assert refused.err.startswith("error: ")
    assert "--data-dir" in refused.err


@pytest.mark.parametrize(("signum", "exit_code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_server_that_is_told_to_stop_ends_in_good_order(tmp_path: Path, signum: int, exit_code: int) -> None:
    with open_directory() as directory, serving(Shell(tmp_path, {}), directory / "data") as (process, url):
        assert httpx.get(f"{url}/health/live", trust_env=False).status_code == 200

        process.send_signal(signum)
        _, err = process.communicate(timeout=COMMAND_S_MAX)

        assert process.returncode == exit_code
        assert "Traceback" not in err
        assert not (directory / "data/postgres/postmaster.pid").exists()


def test_head_without_end_does_not_fill_the_servers_memory(url: str) -> None:
    address = httpx.URL(url)
    assert address.port is not None
    with socket.create_connection((address.host, address.port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Fill: " + b"x" * 140_000)

        assert connection.recv(1024).startswith(b"HTTP/1.1 431 ")


def test_doctor_finds_nothing_that_fails_beside_a_running_server(nobody: Shell, data_dir: Path) -> None:
    report = nobody("doctor", "--data-dir", data_dir, "--json")

    levels = {finding["check"]: finding["level"] for finding in report.object["findings"]}
    assert report.exit_code == 0
    assert report.object["ok"] is True
    assert levels["tier restricted"] in {"ok", "warn"}
    assert levels["server"] == "ok"
    assert levels["data directory"] == "ok"


def test_doctor_names_what_is_weak_with_its_fix(nobody: Shell, data_dir: Path) -> None:
    settings_file = nobody.home / ".env"
    settings_file.write_text('GLOVEBOX_CORS_ORIGINS=["*"]\nGLOVEBOX_SANDBOX_UID=1\n')
    settings_file.chmod(0o644)

    report = nobody("doctor", "--data-dir", data_dir)

    assert report.exit_code == 1
    assert "fail  secret files: .env" in report.out
    assert "chmod 600 .env" in report.out
    assert "warn  cors origins" in report.out


def test_doctor_refuses_a_data_directory_of_somebody_else(nobody: Shell) -> None:
    with open_directory() as directory:
        (directory / "theirs").write_text("x")
        report = nobody("doctor", "--data-dir", directory)

    assert report.exit_code == 1
    assert "fail  data directory" in report.out


def test_doctor_says_what_a_database_url_lacks(nobody: Shell, data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    report = nobody.with_(DATABASE_URL=f"postgresql://glovebox_login:hidden@127.0.0.1:{port}/x")("doctor")

    assert report.exit_code == 1
    assert "fail  database" in report.out
    assert "fail  token issuer" in report.out
    assert "hidden" not in report.out + report.err


def test_operators_commands_want_the_owner_of_a_database_of_their_own(offline: Shell) -> None:
    refused = offline.with_(DATABASE_URL="postgresql://127.0.0.1:1/x")("db", "status")

    assert refused.exit_code == 1
    assert "GLOVEBOX_MIGRATE_DATABASE_URL" in refused.err


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_is_for_terminals_that_want_it(offline: Shell, variables: dict[str, str], coloured: bool) -> None:
    shell = offline.with_(TERM="xterm", **variables)
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [*COMMAND, "agents", "list"], stderr=theirs, cwd=shell.home, env=shell.environment, timeout=COMMAND_S_MAX
        )
        shown = os.read(ours, 4096)
    finally:
        os.close(ours)
        os.close(theirs)

    assert b"no answer from" in shown
    assert (b"\x1b[" in shown) is coloured


def test_reader_that_leaves_early_is_no_error(glovebox: Shell) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*COMMAND, "credits", "show"],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            cwd=glovebox.home,
            env=glovebox.environment,
            timeout=COMMAND_S_MAX,
        )
    finally:
        os.close(writer)

    assert "Traceback" not in done.stderr


def test_demo_shows_the_whole_walk_twice(tmp_path: Path) -> None:
    # Settings for another database do not lead the demo astray.
    shell = Shell(tmp_path, {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "SUPABASE_URL": "https://a.example"})
    with open_directory() as directory:
        for _ in range(2):
            shown = shell("demo", "--data-dir", directory / "data")

            assert shown.exit_code == 0, shown.err
            assert re.search(r"http://127\.0\.0\.1:\d+/agents/[0-9a-f-]{36}/unit-convert", shown.out)
            assert '{"value": "42.1648128"' in shown.out
            assert '"test": true' in shown.out
            assert '"outcome": "succeeded"' in shown.out
            assert '"kind": "settle"' in shown.out
            assert "curl " in shown.out
            assert f"serve --data-dir {directory}/data" in shown.out
        assert not (directory / "data/postgres/postmaster.pid").exists()


def test_demo_that_cannot_use_the_directory_says_why(tmp_path: Path) -> None:
    with open_directory() as directory:
        (directory / "somebody's").write_text("x")
        refused = Shell(tmp_path, {})("demo", "--data-dir", directory)

    assert (refused.exit_code, refused.out) == (1, "")
    assert refused.err.startswith("error: data directory")
    assert "--data-dir" in refused.err


def test_server_of_a_demo_that_is_killed_ends_too(tmp_path: Path) -> None:
    with open_directory() as directory:
        shell = Shell(tmp_path, {})
        process = shell.start("demo", "--data-dir", directory / "data")
        try:
            url = await_demo_server(process)
        finally:
            process.kill()
            process.communicate(timeout=COMMAND_S_MAX)

        await_end(url, directory / "data/postgres/postmaster.pid")


def await_demo_server(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"A server at (\S+),", line):
            return found[1]
    raise AssertionError("the demo ended without a server")


def await_end(url: str, postmaster_file: Path) -> None:
    deadline = time.monotonic() + COMMAND_S_MAX
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/health/live", trust_env=False, timeout=1)
        except httpx.HTTPError:
            if not postmaster_file.exists():
                return
        time.sleep(0.1)
    raise AssertionError(f"the server at {url}, or its database, goes on")


def test_live_run_is_followed_listed_and_cancelled(glovebox: Shell, url: str, user_id: str) -> None:
    source = write(glovebox, "endless.py", ENDLESS_CODE)
    assert glovebox("agents", "create", "endless", "--file", source).exit_code == 0
    running = glovebox.start("agents", "run", "endless")
    deadline = time.monotonic() + 60
    while not (live := glovebox("runs", "list", "--state", "executing", "--json").object["items"]):
        assert time.monotonic() < deadline
    run_id = live[0]["id"]
    following = glovebox.start("agents", "logs", "endless", "--follow")

    assert glovebox("runs", "cancel", run_id).exit_code == 0

    told, said = following.communicate(timeout=60)
    assert (told.split(), "cancelled" in said) == ([told.split()[0], "ms", "started"], True)
    assert running.wait(60) != 0
    running.communicate()
    assert glovebox("runs", "show", run_id, "--json").object["state"] == "cancelled"
    assert "started" in glovebox("runs", "logs", run_id).out
    assert glovebox("runs", "list", "--agent", "endless").out.count("cancelled") == 2
    assert glovebox("runs", "cancel", run_id).exit_code == 5
