"""The documentation names every setting, error, route and command. Run this file to write the generated tables anew."""

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from sandbox import policy
from server.app import create_app
from server.cli.client import ClientSettings
from server.cli.main import app as command_line
from server.errors import INTERNAL, PROBLEMS
from server.invocations.outcomes import RULINGS
from server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
ERRORS = ROOT / "docs/errors.md"
MODULES = ROOT / "docs/modules.md"


def settings_table() -> str:
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in (Settings.model_fields | ClientSettings.model_fields).items():
        variable = field.validation_alias or f"GLOVEBOX_{name.upper()}"
        default = "your data directory" if name == "data_dir" else field.get_default()
        lines.append(f"| `{variable}` | {_show(default)} | {field.description} |")
    return "\n".join(lines)


def errors_table() -> str:
    rows = {(problem.status, problem.code, problem.title) for problem in (*PROBLEMS.values(), INTERNAL)}
    rows |= {
        (ruling.status, outcome.value, ruling.title) for outcome, ruling in RULINGS.items() if ruling.status >= 400
    }
    lines = ["| status | code | means |", "|---|---|---|"]
    lines += [f"| {status} | `{code}` | {title} |" for status, code, title in sorted(rows)]
    return "\n".join(lines)


def modules_table() -> str:
    lines = ["| module | names |", "|---|---|"]
    for module, names in sorted(policy.MODULES.items()):
        lines.append(f"| `{module}` | {', '.join(f'`{name}`' for name in names)} |")
    return "\n".join(lines)


TABLES = {
    "settings": (README, settings_table),
    "errors": (ERRORS, errors_table),
    "modules": (MODULES, modules_table),
}


@pytest.mark.parametrize("name", TABLES)
def test_generated_table_is_up_to_date(name: str) -> None:
    file, render = TABLES[name]

    assert render() in file.read_text(), f"run `python {Path(__file__).relative_to(ROOT)}`"


def test_readme_names_every_route() -> None:
    text = README.read_text()
    paths = create_app(Settings(_env_file=None)).openapi()["paths"]

    missing = [path for path in paths if path not in text]

    assert paths
    assert missing == []


def test_readme_names_every_command() -> None:
    commands = get_command(command_line).commands  # type: ignore[attr-defined] # a group, which has commands
    block = README.read_text().split("## Command line")[1].split("```")[1]
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)*", block))

    missing = [
        word
        for name, command in commands.items()
        for word in (name, *getattr(command, "commands", {}))
        if word not in words
    ]

    assert missing == []


def _show(default: object) -> str:
    if default is None:
        return "unset"
    if isinstance(default, tuple):
        return f"`{json.dumps(default)}`"
    return f"{default:,}" if isinstance(default, int) else str(default)


def write_tables() -> None:
    """Put every generated table between its markers."""
    for name, (file, render) in TABLES.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = file.read_text().partition(start)
        file.write_text(f"{before}{start}\n{render()}\n{end}{rest.partition(end)[2]}")


if __name__ == "__main__":
    write_tables()
