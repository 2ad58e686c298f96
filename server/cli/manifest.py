"""An agent as files: `agent.py`, and beside it `agent.toml` (its contract) and `examples.jsonl`."""

import json
import tomllib
from pathlib import Path
from typing import Any

from sandbox.types import SOURCE_BYTES_MAX
from server.cli.errors import CliError

CODE_FILE = "agent.py"
CONTRACT_FILE = "agent.toml"
EXAMPLES_FILE = "examples.jsonl"
SIDE_FILE_BYTES_MAX = 1024 * 1024


def read_agent(path: Path) -> dict[str, Any]:
    """What `POST /agents` takes, without the name.

    A folder is read whole. So is a file named `agent.py`; any other file is code alone.

    Raises:
        CliError: a file is missing, too large or malformed; the message names it.
    """
    code_file = path / CODE_FILE if path.is_dir() else path
    agent: dict[str, Any] = {"code": _read(code_file, SOURCE_BYTES_MAX)}
    if code_file.name != CODE_FILE:
        return agent
    contract_file, examples_file = code_file.with_name(CONTRACT_FILE), code_file.with_name(EXAMPLES_FILE)
    if contract_file.exists():
        agent |= _read_contract(contract_file)
    if examples_file.exists():
        agent["examples"] = read_examples(examples_file)
    return agent


def read_examples(path: Path) -> list[dict[str, Any]]:
    """The examples of a JSON Lines file, one `{"inputs": ..., "expect": ...}` a line, `expect` or not.

    Raises CliError.
    """
    examples: list[dict[str, Any]] = []
    for number, text in enumerate(_read(path, SIDE_FILE_BYTES_MAX).splitlines(), start=1):
        if not text.strip():
            continue
        try:
            example = json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise CliError(f"{path}, line {number}: not JSON: {exc}") from exc
        if not isinstance(example, dict) or set(example) not in ({"inputs", "expect"}, {"inputs"}):
            raise CliError(f'{path}, line {number}: must be {{"inputs": ..., "expect": ...}}')
        examples.append(example)
    return examples


def _read_contract(path: Path) -> dict[str, Any]:
    try:
        contract = tomllib.loads(_read(path, SIDE_FILE_BYTES_MAX))
        json.dumps(contract, allow_nan=False)
    except (tomllib.TOMLDecodeError, TypeError, ValueError, RecursionError) as exc:
        raise CliError(f"{path}: {exc}") from exc
    for key in ("agent_name", "code", "examples"):
        if key in contract:
            raise CliError(f"{path}: {key!r} does not belong here", hint="it has its own place beside agent.toml")
    return contract


def _read(path: Path, bytes_max: int) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(bytes_max + 1)
        if len(content) > bytes_max:
            raise CliError(f"{path} is larger than {bytes_max} bytes")
        return content.decode("utf-8")
    except OSError as exc:
        raise CliError(f"cannot read {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise CliError(f"{path} is not UTF-8") from exc
