"""Everything that agents can import works where nothing can be opened or imported any more."""

import ast
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.policy import facades
from sandbox.policy.modules import MODULES

EXERCISES: dict[str, str] = runpy.run_path(str(Path(__file__).with_name("facade_exercises.py")))["EXERCISES"]

# Preloads, gives up the means to open anything, then runs every exercise; answers with what failed.
HARNESS = """
import builtins, json, os, resource, sys, traceback
from sandbox.policy import facades
from sandbox.policy.guards import mark_program_class

exercises = json.load(sys.stdin)
facades.preload()
resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
names = {module: facades.import_facade(module) for module in facades.MODULES if "." not in module}
wanted = set()

def program_class(cls):
    mark_program_class(cls)
    return cls

def refuse(event, args):
    if event == "import" and args[0] not in sys.modules:
        wanted.add(args[0])
        raise ModuleNotFoundError(args[0])
    if event in ("open", "ctypes.dlopen"):
        raise PermissionError(f"{event} {args[0]}")

sys.addaudithook(refuse)
failed = {}
# Library code in C imports with the `__import__` of the program that calls it.
program_builtins = {**vars(builtins), "__import__": facades.import_facade}
fixed = {"__name__": "__main__", "__builtins__": program_builtins, "program_class": program_class}
for module, source in exercises.items():
    wanted.clear()
    try:
        exec(compile(source, module, "exec"), {**fixed, **names})
    except BaseException:
        failed[module] = traceback.format_exc(limit=-4)
    if wanted - {"encodings.no_such_encoding"}:
        failed[module] = f"imports late: {wanted}"
print(json.dumps(failed), flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def failures() -> dict[str, str]:
    """What failed behind closed doors, by module."""
    done = subprocess.run(
        [sys.executable, "-c", HARNESS],
        input=json.dumps(EXERCISES),
        env={"TZ": "UTC", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("module", EXERCISES)
def test_a_module_works_where_nothing_can_be_opened(failures: dict[str, str], module: str) -> None:
    assert module not in failures, failures[module]


@pytest.mark.parametrize("module", MODULES)
def test_every_callable_of_a_module_is_exercised(module: str) -> None:
    source = ast.parse(EXERCISES.get(module, ""))
    used = {ast.unparse(node) for node in ast.walk(source) if isinstance(node, ast.Attribute)}
    facade = facades.import_facade(module, fromlist=MODULES[module][:1])

    callables = {f"{module}.{name}" for name in MODULES[module] if callable(getattr(facade, name))}

    assert callables - used == set()


def test_the_harness_notices_what_is_opened_late() -> None:
    late = {"json": "open('/etc/hostname')", "re": "b'a'.decode('late')", "math": "math.sqrt(4)"}

    done = subprocess.run(
        [sys.executable, "-c", HARNESS], input=json.dumps(late), capture_output=True, text=True, timeout=60, check=True
    )

    assert set(json.loads(done.stdout)) == {"json", "re"}
