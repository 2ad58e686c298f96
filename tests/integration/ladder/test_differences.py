"""The same programs in every tier: what they come to must be the same, or the smaller tier must say that it cannot.

The examples, the programs of this repository, a public set where it lies beside the checkout, and programs drawn from a
grammar of what agents use. Every difference that there may be is listed here with its reason.
"""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from sandbox.errors import RejectedEverywhereError
from sandbox.ladder import Example, canonical_json, choose
from sandbox.tiers import Tiers
from sandbox.types import Gloves, Limits, Outcome, Program, Result, Tier
from tests.integration.ladder.grammar import programs
from tests.support.docker_sandbox import docker_sandbox
from tests.support.figures import Record
from tests.support.gloves import FixedGloves

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).parents[3]
SHARED_SET = ROOT.parent / "shared" / "data" / "programs.jsonl"
LIMITS = Limits(wall_ms_max=30_000, cpu_ms_max=20_000)
# What a smaller tier answers otherwise without saying that it cannot, and why.
EXPLAINED = {
    "HumanEval/160": "eval() is there in monty, whose interpreter is a wall by itself; the policy refuses it",
}
DRAWN_MAX = 150
DRAWN_LONG_MAX = 3_000


@dataclass(frozen=True)
class Case:
    """One program with one set of inputs, and what it should come to, where that is known."""

    name: str
    source: str
    inputs: Any
    expect: Any = None
    expects: bool = True


def own_cases() -> Iterator[Case]:
    for path in sorted((ROOT / "tests" / "programs").glob("*.py")):
        source = path.read_text(encoding="utf-8")
        told = dict(line[2:].split(": ", 1) for line in source.splitlines() if line.startswith(("# inputs: ", "# exp")))
        yield Case(
            path.stem, source, json.loads(told["inputs"]), json.loads(told.get("expect", "null")), "expect" in told
        )
    for path in sorted((ROOT / "examples").glob("*/agent.py")):
        for number, line in enumerate((path.parent / "examples.jsonl").read_text(encoding="utf-8").splitlines()):
            example = json.loads(line)
            yield Case(f"{path.parent.name}:{number}", path.read_text(), example["inputs"], example["expect"])


def shared_cases() -> Iterator[Case]:
    for line in SHARED_SET.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield Case(row["task_id"], row["code"], {}, "ok")


def shown(result: Result) -> str:
    if result.outcome == Outcome.SUCCEEDED:
        return canonical_json(result.value)
    return f"{result.outcome.value} {result.error.type if result.error else ''}"


@asynccontextmanager
async def same_gloves(index: int) -> AsyncIterator[Gloves]:
    yield FixedGloves(seed=index, frozen_clock=True)


async def compare(tiers: Tiers, cases: list[Case]) -> tuple[dict[str, str], dict[Tier, int]]:
    """What smaller tiers answered otherwise, and how many programs `auto` brings to which tier."""
    different: dict[str, str] = {}
    shares = dict.fromkeys((Tier.MONTY, Tier.RESTRICTED), 0)
    gloves = FixedGloves(seed=0, frozen_clock=True)
    for case in cases:
        program = Program(case.source)
        example = Example(case.inputs, case.expect, expects=case.expects)
        try:
            choice = await choose(tiers, program, [example], LIMITS, same_gloves)
        except RejectedEverywhereError:
            continue
        above = await tiers.get(Tier.RESTRICTED).run(program, case.inputs, LIMITS, gloves)
        chosen = (
            above
            if choice.tier is Tier.RESTRICTED
            else await tiers.get(choice.tier).run(program, case.inputs, LIMITS, gloves)
        )
        if choice.reasons.get("monty", "").startswith("example "):
            different[case.name] = choice.reasons["monty"]
        elif shown(chosen) != shown(above):
            different[case.name] = f"monty: {shown(chosen)[:200]}, restricted: {shown(above)[:200]}"
        if case.expects and case.name not in EXPLAINED:
            assert shown(chosen) == canonical_json(case.expect), f"auto runs {case.name} wrong"
        shares[choice.tier] += 1
    return different, shares


def report(title: str, different: dict[str, str], shares: dict[Tier, int]) -> None:
    total = sum(shares.values())
    lines = [f"\n{title}: " + ", ".join(f"{tier.value} {count} of {total}" for tier, count in shares.items())]
    for name, difference in different.items():
        lines.append(f"  {name}: {difference} ({EXPLAINED.get(name, 'NOT EXPLAINED')})")
    sys.stdout.write("\n".join(lines) + "\n")


async def test_own_programs_come_to_the_same_in_every_tier(tiers: Tiers, capsys: pytest.CaptureFixture[str]) -> None:
    different, shares = await compare(tiers, list(own_cases()))

    with capsys.disabled():
        report("programs of this repository", different, shares)
    assert set(different) <= set(EXPLAINED)
    assert shares[Tier.MONTY] > 0


@pytest.mark.skipif(not SHARED_SET.is_file(), reason="the set of programs does not lie beside the checkout")
async def test_shared_programs_come_to_the_same_in_every_tier(tiers: Tiers, capsys: pytest.CaptureFixture[str]) -> None:
    different, shares = await compare(tiers, list(shared_cases()))

    with capsys.disabled():
        report("public programs", different, shares)
    assert set(different) <= set(EXPLAINED)
    assert shares[Tier.MONTY] > sum(shares.values()) / 2


async def test_docker_comes_to_what_restricted_comes_to(
    tiers: Tiers, capsys: pytest.CaptureFixture[str], record_property: Record
) -> None:
    cases = [*own_cases(), *(shared_cases() if SHARED_SET.is_file() else ())]
    gloves = FixedGloves(seed=0, frozen_clock=True)
    different: dict[str, str] = {}
    wrong: dict[str, str] = {}
    async with docker_sandbox() as docker:
        for case in cases:
            program = Program(case.source)
            below = await tiers.get(Tier.RESTRICTED).run(program, case.inputs, LIMITS, gloves)
            above = await docker.run(program, case.inputs, LIMITS, gloves)
            if below.outcome != Outcome.REJECTED and shown(below) != shown(above):
                different[case.name] = f"restricted: {shown(below)[:200]}, docker: {shown(above)[:200]}"
            if case.expects and shown(above) != canonical_json(case.expect):
                wrong[case.name] = shown(above)[:200]

    record_property("programs", len(cases))
    record_property("of_these_wrong", len(wrong))
    with capsys.disabled():
        report("restricted and docker", different, {Tier.DOCKER: len(cases)})
    assert set(different) <= set(EXPLAINED)
    assert wrong == {}


async def drawn_alike(tiers: Tiers, source: str) -> None:
    """Check one drawn program: the tiers agree, or monty says that it cannot."""
    program = Program(source)
    gloves = FixedGloves(frozen_clock=True)
    below = await tiers.get(Tier.MONTY).run(program, {}, LIMITS, gloves)
    above = await tiers.get(Tier.RESTRICTED).run(program, {}, LIMITS, gloves)

    assert below.outcome == Outcome.TIER_UNSUITED or shown(below) == shown(above), source


@settings(
    max_examples=DRAWN_MAX,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(source=programs())
async def test_drawn_programs_come_to_the_same_in_every_tier(tiers: Tiers, source: str) -> None:
    await drawn_alike(tiers, source)


@pytest.mark.long
@settings(
    max_examples=DRAWN_LONG_MAX,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(source=programs())
async def test_many_drawn_programs_come_to_the_same_in_every_tier(tiers: Tiers, source: str) -> None:
    await drawn_alike(tiers, source)
