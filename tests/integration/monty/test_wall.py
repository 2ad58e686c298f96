"""The wall around workers holds by itself: ordinary programs are started behind it in the interpreter's place."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.guest.worker import LAUNCH_FAILED, MINIMUM
from sandbox.monty.workers import files_of
from tests.integration.monty.conftest import UID

ROOT = Path(__file__).parents[3]
LAUNCH = (
    f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); "
    "runpy.run_module('sandbox.guest.worker', run_name='__main__', alter_sys=True)"
)


def behind_the_wall(*command: str, files: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Start a program behind the wall that may read what it is made of, and `files`."""
    program = os.path.realpath(shutil.which(command[0]) or command[0])
    executables, own_files = files_of(program)
    arguments = [str(UID), str(256 * 1024**2), "", json.dumps(executables), json.dumps([*own_files, *files])]
    return subprocess.run(
        [sys.executable, "-IBS", "-c", LAUNCH, *arguments, program, *command[1:]],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that everybody may read."""
    path = tmp_path / "secret"
    path.write_text("do not tell")
    for parent in (tmp_path, *tmp_path.parents[:3]):
        if os.access(parent, os.W_OK) and parent != Path("/tmp"):  # noqa: S108 - where pytest puts it
            parent.chmod(0o755)
    return path


def test_program_runs_and_reads_what_it_was_given(secret: Path) -> None:
    assert behind_the_wall("cat", str(secret), files=(str(secret),)).stdout == "do not tell"


@pytest.mark.parametrize("path", ["secret", "/etc/passwd", "/proc/self/environ", "/proc/1/status", "/dev/null"])
def test_no_other_file_can_be_read(secret: Path, path: str) -> None:
    ended = behind_the_wall("cat", str(secret) if path == "secret" else path)

    assert ended.returncode != 0
    assert ended.stdout == ""


def test_nothing_can_be_started(secret: Path) -> None:
    started = behind_the_wall("sh", "-c", "exec /bin/cat /etc/hostname; echo went on")
    forked = behind_the_wall("sh", "-c", "(echo from a child); echo went on")

    assert "from a child" not in forked.stdout
    assert started.stdout in ("", "went on\n")


def test_nobody_can_be_signalled() -> None:
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        behind_the_wall("sh", "-c", f"kill -9 {sleeper.pid}; kill -9 {os.getpid()}")

        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_nothing_can_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)

    behind_the_wall("sh", "-c", f"echo x > {tmp_path}/made")

    assert list(tmp_path.iterdir()) == []


def test_environment_is_empty_and_descriptors_are_gone(secret: Path) -> None:
    leaked = os.open(secret, os.O_RDONLY)
    os.set_inheritable(leaked, True)
    try:
        ended = behind_the_wall("sh", "-c", f"echo $HOME$PATH$USER; read x <&{leaked} && echo $x")
    finally:
        os.close(leaked)

    assert "do not tell" not in ended.stdout
    assert str(Path.home()) not in ended.stdout


def test_program_without_its_files_does_not_start() -> None:
    arguments = [str(UID), str(256 * 1024**2), "", json.dumps(["/nonexistent"]), "[]", "/bin/true"]
    ended = subprocess.run(
        [sys.executable, "-IBS", "-c", LAUNCH, *arguments], capture_output=True, timeout=60, check=False
    )

    assert ended.returncode == LAUNCH_FAILED


def test_probe_tells_what_is_missing_and_starts_nothing() -> None:
    arguments = [str(UID), str(256 * 1024**2), "", "[]", "[]"]
    ended = subprocess.run(
        [sys.executable, "-IBS", "-c", LAUNCH, *arguments], capture_output=True, text=True, timeout=60, check=True
    )

    missing = json.loads(ended.stdout)
    assert all(not name.startswith(piece) for name in missing for piece in MINIMUM)
