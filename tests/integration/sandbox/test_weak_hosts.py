"""`glovebox doctor` on hosts that lack a piece of the wall. The kernel does answer so: a seccomp filter makes it."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, TypeAlias

import pytest

from tests.acceptance.running import reachable_directory
from tests.acceptance.shell import COMMAND_S_MAX, ROOT

# Answers `errno` to the listed calls, where one is given only with that first argument; then becomes the command.
WEAKEN = """
import json, os, struct, sys
from sandbox.guest import kernel, seccomp

def instruction(code, true, false, operand):
    return struct.pack("HBBI", code, true, false, operand)

program = b""
for number, first, errno in json.loads(sys.argv[1]):
    refuse = instruction(0x06, 0, 0, 0x00050000 | errno)
    program += instruction(0x20, 0, 0, 0)
    if first is None:
        program += instruction(0x15, 0, 1, number) + refuse
    else:
        program += instruction(0x15, 0, 3, number)
        program += instruction(0x20, 0, 0, 16) + instruction(0x15, 0, 1, first) + refuse
kernel.set_no_new_privileges()
seccomp.install(program + instruction(0x06, 0, 0, 0x7FFF0000))
os.execv(sys.executable, [sys.executable, "-m", "server.cli.main", *sys.argv[2:]])
"""
ENOSYS, EINVAL, EPERM = 38, 22, 1
Weakness: TypeAlias = Sequence[tuple[int, int | None, int]]
PR_SET_SECCOMP = 22
X86 = platform.machine() == "x86_64"
LANDLOCK = [(number, None, ENOSYS) for number in (444, 445, 446)]
SECCOMP = [(157 if X86 else 167, PR_SET_SECCOMP, EINVAL), (317 if X86 else 277, None, ENOSYS)]
NAMESPACES = [(272 if X86 else 97, None, EPERM)]


def doctor(weakness: Weakness) -> dict[str, Any]:
    """The findings by what they are about."""
    with reachable_directory() as data_dir:
        done = subprocess.run(
            [sys.executable, "-c", WEAKEN, json.dumps(weakness), "doctor", "--json", "--data-dir", str(data_dir)],
            capture_output=True,
            text=True,
            cwd=data_dir.parent,
            env={
                "PATH": os.defpath,
                "HOME": str(data_dir.parent),
                "PYTHONPATH": str(ROOT),
                "GLOVEBOX_TIERS": '["monty", "restricted"]',
            },
            timeout=COMMAND_S_MAX,
            check=False,
        )
    assert done.stdout, done.stderr
    return {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}


@pytest.mark.parametrize(("weakness", "named"), [(LANDLOCK, "landlock"), (SECCOMP, "seccomp")])
def test_tier_without_its_minimum_is_unavailable_and_says_why(weakness: Weakness, named: str) -> None:
    findings = doctor(weakness)

    finding = findings["tier restricted"]
    assert finding["level"] == "fail"
    assert "unavailable" in finding["detail"]
    assert named in finding["detail"]
    assert "Landlock and seccomp" in finding["fix"]
    assert named in findings["tier monty"]["detail"]


def test_tier_at_its_minimum_says_what_it_lacks() -> None:
    finding = doctor(NAMESPACES)["tier restricted"]

    assert finding["level"] == "warn"
    assert "minimum wall" in finding["detail"]
    assert "user namespace" in finding["detail"]
    assert "max_user_namespaces" in finding["fix"]
