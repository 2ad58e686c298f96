"""Nobody enters the embedded database without a password, and nothing leaks from or into it."""

import json
import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from agents_store.embedded import data_dir_owner
from tests.integration.embedded.processes import (
    Spawn,
    code_for,
    identity,
    interpreter_for,
    open_parent,
    openers,
    postmaster_pid,
)

CONNECT = "import sys, psycopg; psycopg.connect(sys.argv[1], connect_timeout=5)"


@dataclass(frozen=True)
class Opened:
    """A database that a process of its own has open."""

    data_dir: Path
    login_url: str

    def passwords(self) -> dict[str, str]:
        stored: dict[str, str] = json.loads((self.data_dir / "passwords.json").read_bytes())
        return stored

    def url(self, role: str, password: str | None = None) -> str:
        parts = urlsplit(self.login_url)
        credentials = role if password is None else f"{role}:{password}"
        return f"postgresql://{credentials}@/postgres?{parts.query}&passfile=/dev/null"


@pytest.fixture(scope="module")
def database() -> Iterator[Opened]:
    with open_parent() as parent, openers() as spawn:
        yield Opened(parent / "data", spawn(parent / "data").answer()["login_url"])


def connect_as(user: str | None, url: str) -> subprocess.CompletedProcess[str]:
    """Connect in a process of that user, None for the own one."""
    command = [str(interpreter_for(user)), "-c", CONNECT, url]
    return subprocess.run(
        command,
        env={"PYTHONPATH": str(code_for(user)[1])},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
        **identity(user),
    )


@pytest.mark.parametrize("role", ["postgres", "glovebox_owner", "glovebox_login", "root", "glovebox"])
def test_no_role_enters_without_a_password(database: Opened, role: str) -> None:
    psycopg.connect(database.login_url).close()

    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(database.url(role))


@pytest.mark.parametrize("role", ["postgres", "glovebox_owner", "glovebox_login"])
def test_no_role_enters_with_a_wrong_password(database: Opened, role: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(database.url(role, "wrong"))


def test_no_replication_is_open_even_with_the_superusers_password(database: Opened) -> None:
    url = database.url("postgres", database.passwords()["superuser"])
    psycopg.connect(url).close()

    with pytest.raises(psycopg.OperationalError, match="max_wal_senders"):
        psycopg.connect(f"{url}&replication=true")


def test_the_databases_own_account_enters_only_with_a_password(database: Opened) -> None:
    account = "glovebox" if os.geteuid() == 0 else None
    refused = connect_as(account, database.url("postgres"))

    assert connect_as(account, database.login_url).returncode == 0
    assert refused.returncode != 0
    assert "no password supplied" in refused.stderr


def test_another_user_cannot_reach_the_socket_even_with_the_password(
    database: Opened, nobody: pwd.struct_passwd
) -> None:
    refused = connect_as(nobody.pw_name, database.login_url)

    assert connect_as(None, database.login_url).returncode == 0
    assert refused.returncode != 0
    assert "Permission denied" in refused.stderr


def test_the_only_rule_asks_for_a_password_and_nothing_listens_on_an_address(database: Opened) -> None:
    with psycopg.connect(database.url("postgres", database.passwords()["superuser"])) as connection:
        rules = connection.execute("select type, auth_method from pg_hba_file_rules").fetchall()
        shown = connection.execute("select current_setting('listen_addresses'), current_setting('fsync')").fetchone()

    assert rules == [("local", "scram-sha-256")]
    assert shown == ("", "on")


def test_everything_in_the_directory_is_the_accounts_alone(database: Opened, owner_uid: int) -> None:
    data_dir = database.data_dir
    assert data_dir_owner(data_dir)[0] == owner_uid
    for path in (data_dir, *data_dir.rglob("*")):
        if any(parent.name.startswith("programs-") for parent in (path, *path.parents)):
            continue  # root's own copy, made where the installed programs are closed to the account
        status = path.lstat()
        assert status.st_uid == owner_uid, path
        assert not status.st_mode & 0o077, path
    for name in (".", "s", "postgres"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o700
    assert stat.S_IMODE((data_dir / "passwords.json").stat().st_mode) == 0o600


def test_no_password_shows_in_the_log_on_a_command_line_or_in_a_file_left_behind(database: Opened) -> None:
    passwords = database.passwords().values()
    log = (database.data_dir / "postgres.log").read_text()
    command = Path(f"/proc/{postmaster_pid(database.data_dir)}/cmdline").read_text()
    left_behind = [*database.data_dir.glob(".*"), *database.data_dir.glob("postgres.new*")]

    assert len(set(passwords)) == 3
    assert all(len(password) >= 40 for password in passwords)
    assert not any(password in log or password in command for password in passwords)
    assert left_behind == []


def test_a_statement_that_fails_is_not_logged(database: Opened) -> None:
    with psycopg.connect(database.login_url) as connection, pytest.raises(psycopg.Error):
        connection.execute("select 'what a user wrote'::int")

    assert "what a user wrote" not in (database.data_dir / "postgres.log").read_text()


def test_the_database_inherits_neither_descriptors_nor_environment(data_dir: Path, spawn: Spawn) -> None:
    reading, writing = os.pipe()
    try:
        spawn(data_dir, pass_fds=(writing,)).answer()
        links = {str(link.readlink()) for link in Path(f"/proc/{postmaster_pid(data_dir)}/fd").iterdir()}
        inherited = str(Path(f"/proc/self/fd/{writing}").readlink())
    finally:
        os.close(reading)
        os.close(writing)
    environment = Path(f"/proc/{postmaster_pid(data_dir)}/environ").read_bytes()

    assert inherited not in links
    assert {link for link in links if link.startswith("/")} == {"/dev/null", str(data_dir / "postgres.log")}
    assert {line.split(b"=")[0] for line in environment.split(b"\0") if line} <= {b"PATH", b"LC_ALL", b"TZ", b"PGDATA"}
