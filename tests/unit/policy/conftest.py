"""Programs under the policy, run in the test's own process: every one here is well-behaved."""

import marshal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from sandbox.policy import compile_program, guest_globals
from sandbox.types import Refusal


@dataclass
class Runner:
    """Compiles and runs programs. `logs` collects what they print."""

    logs: list[str] = field(default_factory=list)

    def __call__(self, source: str, *arguments: Any) -> Any:
        """What `run(*arguments)` returns; the code goes through marshal, as between two processes."""
        compiled = compile_program(source)
        assert compiled.refusals == ()
        assert compiled.code is not None
        names = guest_globals(self.logs.append)
        exec(marshal.loads(marshal.dumps(compiled.code)), names)
        run: Any = names["run"]
        return run(*arguments)

    def body(self, lines: str, *, above: str = "") -> Any:
        """What a `run` with these lines returns; `above` stands before it."""
        indented = "".join(f"    {line}\n" for line in lines.strip("\n").split("\n"))
        return self(f"{above}\ndef run():\n{indented}")


class RunBoth(Protocol):
    """Runs a program under the policy and in plain Python, and gives the common answer."""

    def __call__(self, source: str, *arguments: Any) -> Any: ...


@pytest.fixture
def run_program() -> Runner:
    return Runner()


@pytest.fixture
def run_both(run_program: Runner) -> RunBoth:
    def run(source: str, *arguments: Any) -> Any:
        plain: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(source, "agent.py", "exec", dont_inherit=True), plain)
        expected = plain["run"](*arguments)
        assert run_program(source, *arguments) == expected
        return expected

    return run


@pytest.fixture
def refusals() -> Callable[[str], tuple[Refusal, ...]]:
    """What the policy refuses in a source; `def run` is added where it is missing."""

    def refuse(source: str) -> tuple[Refusal, ...]:
        if "def run" not in source:
            source += "\ndef run():\n    pass\n"
        compiled = compile_program(source)
        assert compiled.code is None
        return compiled.refusals

    return refuse
