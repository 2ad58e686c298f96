"""An agent as files: what is read, and what is refused with the file's name."""

import json
from pathlib import Path

import pytest

from server.cli.errors import CliError
from server.cli.manifest import read_agent

CODE = "def run(inputs):\n    return inputs\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agent.py").write_text(CODE)
    (tmp_path / "agent.toml").write_text('description = "Echo."\n[limits]\nwall_ms_max = 500\n')
    (tmp_path / "examples.jsonl").write_text('{"inputs": {"a": 1}, "expect": {"a": 1}}\n\n')
    return tmp_path


WHOLE = {
    "code": CODE,
    "description": "Echo.",
    "limits": {"wall_ms_max": 500},
    "examples": [{"inputs": {"a": 1}, "expect": {"a": 1}}],
}


def test_folder_is_read_whole(folder: Path) -> None:
    assert read_agent(folder) == WHOLE


def test_agent_file_brings_what_lies_beside_it(folder: Path) -> None:
    assert read_agent(folder / "agent.py") == WHOLE


def test_file_of_another_name_is_code_alone(folder: Path) -> None:
    (folder / "other.py").write_text(CODE)

    assert read_agent(folder / "other.py") == {"code": CODE}


def test_folder_with_code_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(CODE)

    assert read_agent(tmp_path) == {"code": CODE}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("agent.py", b"\xff", "not UTF-8"),
        ("agent.py", b"#" * (256 * 1024 + 1), "larger than"),
        ("agent.toml", b"description = ", "agent.toml"),
        ("agent.toml", b"since = 2026-01-01", "agent.toml"),
        ("agent.toml", b"x = nan", "agent.toml"),
        ("agent.toml", b'code = "x"', "'code' does not belong here"),
        ("agent.toml", b'agent_name = "x"', "'agent_name' does not belong here"),
        ("examples.jsonl", b'{"inputs": {}, "expect": 1}\n{"inputs"', "line 2: not JSON"),
        ("examples.jsonl", b"[1]", "line 1: must be"),
        ("examples.jsonl", b'{"expect": 1}', "line 1: must be"),
        ("examples.jsonl", b'{"inputs": {}, "expect": 1, "more": 1}', "line 1: must be"),
        ("examples.jsonl", b"[" * 100_000, "not JSON"),
        ("examples.jsonl", b" " * (1024 * 1024 + 1), "larger than"),
    ],
)
def test_what_is_malformed_is_named(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / name).write_bytes(content)

    with pytest.raises(CliError, match=message):
        read_agent(folder)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"agent\.py: No such file"):
        read_agent(tmp_path)


def test_what_is_read_can_be_sent(folder: Path) -> None:
    assert json.loads(json.dumps(read_agent(folder), allow_nan=False)) == WHOLE
