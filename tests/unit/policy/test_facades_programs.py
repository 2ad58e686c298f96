"""Programs that went through the policy can use everything that they can import."""

import contextvars
import runpy
import textwrap
from pathlib import Path
from typing import Any

import pytest

from sandbox.policy import compile_program, guest_globals, preload
from sandbox.policy.modules import MODULES

EXERCISES: dict[str, str] = runpy.run_path(str(Path(__file__).with_name("facade_exercises.py")))["EXERCISES"]


@pytest.mark.parametrize("module", EXERCISES)
def test_a_program_can_use_everything_of_a_module(module: str) -> None:
    exercise = EXERCISES[module].replace("@program_class\n", "")
    imports = "\n".join(f"import {name}" for name in MODULES if f"{name}." in exercise)
    program = f'{imports}\ndef run():\n{textwrap.indent(exercise, "    ")}\n    return "done"\n'
    preload()
    names: dict[str, Any] = guest_globals(lambda _: None)

    compiled = compile_program(program)

    assert compiled.refusals == ()
    assert compiled.code is not None
    exec(compiled.code, names)
    assert contextvars.copy_context().run(names["run"]) == "done"
