"""As root, the database runs as a system user of its own, made once."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.embedded.processes import PACKAGES, REPOSITORY

PRINT_ACCOUNT = """
import pwd
from agents_store.embedded.account import service_account
account = service_account()
print(*pwd.getpwuid(account.uid)[:1], account.uid, account.gid, *pwd.getpwuid(account.uid)[5:])
"""

# In a mount namespace of its own, with a copy of /etc that lacks the user.
WITHOUT_THE_USER = """
mount --make-rprivate / && mount --bind "$1" /etc || exit 1
userdel --force glovebox 2>/dev/null
eval "$2"
"""


@pytest.fixture
def etc(parent: Path, root: None) -> Path:
    """A copy of /etc to change."""
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        pytest.skip("needs the right to make a mount namespace")
    subprocess.run(["cp", "-a", "/etc", parent / "etc"], check=True)
    return parent / "etc"


def within(etc: Path, script: str) -> subprocess.CompletedProcess[str]:
    command = ["unshare", "--mount", "sh", "-c", WITHOUT_THE_USER, "sh", str(etc), script, sys.executable]
    path = f"{REPOSITORY}:{PACKAGES}"
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": path, "PRINT_ACCOUNT": PRINT_ACCOUNT}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_a_missing_user_is_made_once_by_processes_that_want_it_at_once(etc: Path) -> None:
    run = within(etc, 'for i in 1 2 3 4; do "$3" -c "$PRINT_ACCOUNT" & done; wait')
    lines = run.stdout.splitlines()

    assert len(lines) == 4, run.stderr
    assert len(set(lines)) == 1
    name, uid, _, home, shell = lines[0].split()
    assert (name, home, shell) == ("glovebox", "/nonexistent", "/usr/sbin/nologin")
    assert 0 < int(uid) < 1000


def test_an_existing_user_is_used_as_it_is(etc: Path) -> None:
    run = within(etc, 'useradd --system --uid 4321 glovebox && "$3" -c "$PRINT_ACCOUNT"')

    assert run.stdout.split()[:2] == ["glovebox", "4321"], run.stderr


def test_a_user_that_is_root_under_another_name_is_refused(etc: Path) -> None:
    run = within(etc, 'useradd --system --non-unique --uid 0 glovebox && "$3" -c "$PRINT_ACCOUNT"')

    assert "StoreMisconfiguredError" in run.stderr
    assert "is root" in run.stderr


def test_without_useradd_it_says_which_user_to_make(etc: Path, parent: Path) -> None:
    (parent / "empty").mkdir()
    hide = f'for d in /usr/sbin /sbin; do mount --bind "{parent}/empty" $d; done'

    run = within(etc, f'{hide}; "$3" -c "$PRINT_ACCOUNT"')

    assert "make a system user named 'glovebox'" in run.stderr
