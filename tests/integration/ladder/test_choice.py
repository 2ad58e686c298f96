"""Which tier a program comes to, and what it says of those that were passed over."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from sandbox.errors import RejectedEverywhereError, TierUnavailableError
from sandbox.ladder import Example, canonical_json, choose
from sandbox.tiers import Tiers
from sandbox.types import Gloves, JsonValue, Limits, Program, RunStoppedError, Tier
from tests.support.gloves import Answer, FixedGloves, no_glove

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMITS = Limits(wall_ms_max=20_000, cpu_ms_max=10_000)


def gloves_for(answer: Answer = no_glove) -> Callable[[int], AbstractAsyncContextManager[Gloves]]:
    @asynccontextmanager
    async def one(index: int) -> AsyncIterator[Gloves]:
        yield FixedGloves(test=True, seed=index, frozen_clock=True, answer=answer)

    return one


async def chosen(tiers: Tiers, source: str, *examples: Example, answer: Answer = no_glove) -> tuple[Tier, Any]:
    choice = await choose(tiers, Program(source), examples, LIMITS, gloves_for(answer))
    return choice.tier, dict(choice.reasons)


async def test_plain_logic_runs_in_the_smallest_tier(tiers: Tiers) -> None:
    source = "def run(inputs):\n    return inputs['n'] + 1"

    assert await chosen(tiers, source) == (Tier.MONTY, {})
    assert await chosen(tiers, source, Example({"n": 1}, 2), Example({"n": 2}, expects=False)) == (Tier.MONTY, {})


async def test_what_a_tier_lacks_is_its_reason(tiers: Tiers) -> None:
    source = "import statistics\ndef run():\n    return statistics.mean([1, 2])"

    assert await chosen(tiers, source) == (Tier.RESTRICTED, {"monty": "module statistics is not available"})


async def test_what_shows_only_when_it_runs_is_found_by_an_example(tiers: Tiers) -> None:
    source = "import re\ndef run(inputs):\n    return re.compile('a').match(inputs['text'], 1) is not None"

    assert (await chosen(tiers, source))[0] == Tier.MONTY
    tier, reasons = await chosen(tiers, source, Example({"text": "ba"}, True))

    assert (tier, reasons) == (Tier.RESTRICTED, {"monty": "match() with 2 arguments is not available"})


async def test_result_that_is_not_as_expected_passes_a_tier_over(tiers: Tiers) -> None:
    source = "def run():\n    return str({1: 'a', True: 'b'})"
    monty, restricted = [
        (await tiers.get(tier).run(Program(source), {}, LIMITS, FixedGloves())).value
        for tier in (Tier.MONTY, Tier.RESTRICTED)
    ]
    if monty == restricted or restricted is None:
        pytest.skip("the interpreter does it as Python does")

    expected = await chosen(tiers, source, Example({}, restricted))
    compared = await chosen(tiers, source, Example({}, expects=False))

    assert expected[0] == compared[0] == Tier.RESTRICTED
    assert expected[1]["monty"].startswith("example 1 gives ")


async def test_expectation_that_no_tier_meets_blames_no_tier(tiers: Tiers) -> None:
    assert await chosen(tiers, "def run():\n    return 1", Example({}, 2)) == (Tier.MONTY, {})


async def test_example_that_fails_the_same_way_everywhere_blames_no_tier(tiers: Tiers) -> None:
    assert await chosen(tiers, "def run():\n    return 1 / 0", Example({}, expects=False)) == (Tier.MONTY, {})


async def test_seed_and_clock_are_the_same_in_every_tier(tiers: Tiers) -> None:
    source = """
import datetime, random, time
def run():
    return [random.random(), random.choice('abc'), time.time(), datetime.datetime.now().isoformat()]
"""

    assert await chosen(tiers, source, Example({}, expects=False), Example({}, expects=False)) == (Tier.MONTY, {})


async def test_run_that_stops_at_an_effect_is_compared_as_far_as_it_went(tiers: Tiers) -> None:
    async def stop(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        raise RunStoppedError

    source = "def run(inputs, ctx):\n    return ctx.fetch('https://a.example', 'POST').status"

    assert await chosen(tiers, source, Example({}, 200), answer=stop) == (Tier.MONTY, {})


async def test_gloves_answer_alike_in_every_tier(tiers: Tiers) -> None:
    async def page(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        return {"status": 200, "url": arguments["url"], "headers": {}, "text": '{"n": [1, 2.5]}'}

    source = "def run(inputs, ctx):\n    page = ctx.fetch('https://a.example')\n    return [page.json(), page.ok]"

    assert await chosen(tiers, source, Example({}, expects=False), answer=page) == (Tier.MONTY, {})


async def test_program_that_every_tier_refuses_is_told_why_by_each(tiers: Tiers) -> None:
    with pytest.raises(RejectedEverywhereError) as refused:
        await chosen(tiers, "def run():\n    return ().__class__.__bases__ + (open,)\nclass A(int):\n    pass")

    assert set(refused.value.refusals) == {Tier.MONTY, Tier.RESTRICTED}
    assert refused.value.refusals[Tier.RESTRICTED][0].line == 2


async def test_without_any_tier_nothing_is_decided() -> None:
    with pytest.raises(TierUnavailableError):
        await chosen(Tiers([]), "def run():\n    return 1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": [1.0]}, {"b": [1], "a": 1.0}, True),
        (1, True, False),
        ("1", 1, False),
        ([1, 2], [2, 1], False),
        (0.1 + 0.2, 0.3, False),
        (None, 0, False),
    ],
)
async def test_canonical_json_is_one_text_for_equal_values(one: JsonValue, other: JsonValue, same: bool) -> None:
    assert (canonical_json(one) == canonical_json(other)) is same
