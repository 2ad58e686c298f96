"""Nothing in the server's own code can make text into code: there is no such call to be reached."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BUILTINS = {"exec", "eval", "compile", "__import__"}
METHODS = {
    "exec_module",
    "import_module",
    "run_path",
    "run_module",
    "literal_eval",
    "compile_command",
    "module_from_spec",
}
MODULES = {"ast", "code", "codeop", "importlib", "imp", "marshal", "pickle", "runpy", "symtable", "tokenize"}


def _found(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id in BUILTINS:
            yield f"line {node.lineno}: {node.id}"
        elif isinstance(node, ast.Attribute) and node.attr in METHODS:
            yield f"line {node.lineno}: {node.attr}"
        elif isinstance(node, ast.Import):
            yield from (f"line {node.lineno}: {name.name}" for name in node.names if _is_of(name.name))
        elif isinstance(node, ast.ImportFrom) and _is_of(node.module or ""):
            yield f"line {node.lineno}: {node.module}"


def _is_of(module: str) -> bool:
    # These find packages and read their files.
    finders = ("importlib.resources", "importlib.metadata", "importlib.util")
    return module.split(".")[0] in MODULES and module not in finders


# `glovebox bench` runs the package of that name: a process of its own, without a model.
SERVED = [path for path in sorted((ROOT / "server").rglob("*.py")) if path != ROOT / "server/cli/bench.py"]


@pytest.mark.parametrize("path", SERVED, ids=lambda path: path.name)
def test_module_of_the_server_makes_no_code_of_text(path: Path) -> None:
    assert list(_found(path.read_text())) == []


@pytest.mark.parametrize("text", ["eval('1')", "import importlib", "from ast import parse", "loader.exec_module(m)"])
def test_such_a_call_would_be_found(text: str) -> None:
    assert list(_found(text)) != []
