"""The control: as plain CPython nearly every program of the corpus gets what it wants, so it can fail."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.escape.corpus import Hostile, read_hostile
from tests.support.figures import Record

CORPUS = read_hostile()
CONTROL_SHARE_MIN = 0.95
CONTROL_S_MAX = 20
# Reads one program from stdin and prints what it answers; what the program breaks of `json` does not matter.
PLAIN_PYTHON = """
import sys
from json import dumps
source = sys.stdin.read()
names = {"__name__": "__main__"}
exec(compile(source, "agent.py", "exec"), names)
print("answer " + dumps(names["run"]({})))
"""


def test_nearly_every_program_escapes_from_plain_python(record_property: Record) -> None:
    applicable = [program for program in CORPUS if program.applies_to_plain_python]

    with ThreadPoolExecutor(2) as pool:
        escaped = list(pool.map(_escapes_from_plain_python, applicable))

    contained = [program.name for program, got_out in zip(applicable, escaped, strict=True) if not got_out]
    record_property("programs", len(applicable))
    record_property("got_out", sum(escaped))
    assert sum(escaped) >= CONTROL_SHARE_MIN * len(applicable), contained


def _escapes_from_plain_python(program: Hostile) -> bool:
    finished = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-c", PLAIN_PYTHON],
        input=program.source,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=CONTROL_S_MAX,
        check=False,
    )
    answers = [line for line in finished.stdout.splitlines() if line.startswith("answer ")]
    return bool(answers) and bool(json.loads(answers[-1].removeprefix("answer "))["escaped"])


def test_corpus_is_large_numbered_and_names_its_techniques() -> None:
    assert len(CORPUS) >= 80
    assert [int(program.name[:3]) for program in CORPUS] == list(range(1, len(CORPUS) + 1))
    for program in CORPUS:
        assert re.fullmatch(r"\d{3}_[a-z0-9_]+", program.name)
        assert program.expect in ("rejected", "failed", "contained")
        assert re.fullmatch(r"escapes|none, .+", program.control)
        assert len(program.technique) > 10
