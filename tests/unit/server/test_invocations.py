"""The one path against fakes: what is held, run, settled and answered when something goes wrong at each step."""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from agents_store.errors import (
    InsufficientCreditsError,
    StaleRunError,
    StoreUnavailableError,
    UnknownAgentError,
    VersionMovedError,
)
from agents_store.types import BegunRun, Charge, Principal, Run, RunEnd, RunStart, RunState
from sandbox.errors import SandboxBusyError, SandboxLostError, TierUnavailableError
from sandbox.tiers import Tiers
from sandbox.types import GloveError, Inputs, LogLine, Outcome, Program, ProgramError, Result, Tier, Usage
from server.auth.errors import UnauthenticatedError
from server.errors import (
    ForeignPathError,
    InvalidInputsError,
    InvalidRequestError,
    RunLostError,
    RunNotStartedError,
    TierGoneError,
    UserBusyError,
)
from server.invocations.answers import Answer
from server.invocations.inputs import Asked
from server.invocations.outcomes import RULINGS
from server.services import Services, wire
from server.settings import Settings
from tests.unit.server.fakes import PRICE, FakeSandbox, FakeStore, FakeVerifier, fake_fitting

ALICE, BOB = uuid4(), uuid4()
INTEGER: dict[str, object] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


class Rig:
    """The services on fakes, and calls of them."""

    def __init__(self, **settings: Any) -> None:
        self.store = FakeStore()
        self.sandbox = FakeSandbox()
        self.services: Services = wire(
            Settings(_env_file=None, **settings),
            self.store,
            Tiers([self.sandbox]),
            FakeVerifier(),  # type: ignore[arg-type]
            fake_fitting(self.store),
        )
        self.store.put_agent(ALICE, "hello")

    async def call(self, **changes: Any) -> Answer:
        call = FakeCall(**changes)
        return await self.services.live.carry(self.services.invocations.invoke(call))

    @property
    def end(self) -> RunEnd:
        (end,) = self.store.ends.values()
        return end

    def assert_nothing_held(self) -> None:
        assert self.store.balances.get(ALICE, 10 * PRICE) == 10 * PRICE
        assert set(self.store.begun) == set(self.store.ends)


class FakeCall:
    def __init__(
        self,
        *,
        agent_name: str = "hello",
        user_id: UUID = ALICE,
        token: UUID | None = ALICE,
        test: bool = False,
        texts: dict[str, Sequence[str]] | None = None,
        inputs: dict[str, Any] | None = None,
        refusal: Exception | None = None,
    ) -> None:
        self.request_id = uuid4()
        self.run_id = uuid7()
        self.run: Run | None = None
        self.authorization = None if token is None else f"Bearer {token}"
        self.user_id = user_id
        self.agent_name = agent_name
        self.test = test
        self.asked = Asked(texts, {"a": 1} if inputs is None and texts is None else inputs)
        self.refusal = refusal
        self.reads = 0

    def authenticated(self, principal: Principal) -> None:
        pass

    def read_test(self) -> bool:
        self.reads += 1
        return self.test

    async def read(self) -> Asked:
        self.reads += 1
        if self.refusal is not None:
            raise self.refusal
        return self.asked

    def begun(self, run: Run) -> None:
        self.run = run

    async def gone(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    assert set(made.store.begun) == set(made.store.ends), "a run that began was left unfinished"


def ends_with(result: Result | Exception) -> Any:
    async def behaviour(program: Program, inputs: Inputs) -> Result:
        if isinstance(result, Exception):
            raise result
        return result

    return behaviour


def calls_a_glove(rig: Rig, result: Result | Exception) -> Any:
    async def behaviour(program: Program, inputs: Inputs) -> Result:
        assert rig.sandbox.gloves is not None
        with pytest.raises(GloveError):
            await rig.sandbox.gloves.call("nothing", {"a": 1})
        if isinstance(result, Exception):
            raise result
        return result

    return behaviour


async def test_a_call_is_answered_with_the_agents_own_json_and_charged(rig: Rig) -> None:
    answer = await rig.call(inputs={"b": 1, "a": "ü"})

    assert (answer.status, answer.media_type, answer.body) == (200, "application/json", '{"b":1,"a":"ü"}'.encode())
    assert answer.headers["Glovebox-Charge"] == "1"
    assert answer.headers["Glovebox-Tier"] == "restricted"
    assert answer.headers["Cache-Control"] == "no-store"
    assert [part.split(";")[0] for part in answer.headers["Server-Timing"].split(", ")] == [
        "auth",
        "begin",
        "sandbox",
        "finish",
    ]
    assert (rig.end.state, rig.end.billable, rig.end.result_json) == (RunState.COMPLETED, True, answer.body.decode())


async def test_what_is_recorded_of_a_run_is_what_was_asked(rig: Rig) -> None:
    await rig.call(inputs={"n": 1})

    (start,) = rig.store.starts.values()
    assert (start.inputs, start.version, start.test) == ({"n": 1}, 1, False)
    assert (start.wall, start.wall_missing) == ("minimum", ("user namespace",))
    assert 0 <= start.seed < 2**63
    assert start.server_id == rig.services.lease.server_id


async def test_a_dry_run_is_reported_and_free(rig: Rig) -> None:
    rig.sandbox.behaviour = ends_with(
        Result(Outcome.SUCCEEDED, value=[1], logs=(LogLine(3, "hi", {"k": 1}),), usage=Usage(wall_ms=7))
    )

    answer = await rig.call(test=True)

    assert json.loads(answer.body) == {
        "result": [1],
        "test": True,
        "complete": True,
        "effects": [],
        "logs": [{"seq": 1, "at_ms": 3, "message": "hi", "fields": {"k": 1}}],
        "usage": {"wall_ms": 7, "cpu_ms": 0, "peak_memory_bytes": 0, "output_bytes": 0},
        "would_charge": 1,
    }
    assert answer.headers["Glovebox-Charge"] == "0"
    assert rig.store.balances[ALICE] == 10 * PRICE


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.SUCCEEDED])
@pytest.mark.parametrize("test", [False, True])
async def test_every_other_outcome_is_a_problem_that_is_the_agents(rig: Rig, outcome: Outcome, test: bool) -> None:
    error = ProgramError("ValueError", "no", 3, 5, "line 3")
    rig.sandbox.behaviour = ends_with(Result(outcome, error=error, logs=(LogLine(1, "before"),)))

    answer = await rig.call(test=test)

    document = json.loads(answer.body)
    assert (answer.status, answer.media_type) == (RULINGS[outcome].status, "application/problem+json")
    assert (document["code"], document["status"]) == (outcome.value, answer.status)
    assert document["error"] == {
        "type": "ValueError",
        "message": "no",
        "line": 3,
        "column": 5,
        "traceback": "line 3",
    }
    assert UUID(answer.headers["Glovebox-Run-Id"]) in rig.store.ends
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("logs" in document) is test
    assert (rig.end.outcome, rig.end.reason, rig.end.billable) == (outcome.value, None, RULINGS[outcome].billable)


@pytest.mark.parametrize(
    ("outcome", "status", "billable", "state"),
    [
        (Outcome.SUCCEEDED, 200, True, RunState.COMPLETED),
        (Outcome.FAILED, 502, True, RunState.FAILED),
        (Outcome.BAD_RESULT, 502, True, RunState.FAILED),
        (Outcome.REJECTED, 422, False, RunState.FAILED),
        (Outcome.TIMED_OUT, 504, True, RunState.FAILED),
        (Outcome.OUT_OF_MEMORY, 502, True, RunState.FAILED),
        (Outcome.TOO_MUCH_OUTPUT, 502, True, RunState.FAILED),
        (Outcome.CANCELLED, 409, True, RunState.CANCELLED),
    ],
)
def test_outcomes_are_ruled_as_the_contract_says(
    outcome: Outcome, status: int, billable: bool, state: RunState
) -> None:
    ruling = RULINGS[outcome]

    assert (ruling.status, ruling.billable, ruling.state) == (status, billable, state)


def test_every_outcome_has_a_ruling() -> None:
    assert set(RULINGS) == set(Outcome)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"token": None}, UnauthenticatedError),
        ({"token": BOB}, ForeignPathError),
        ({"user_id": BOB}, ForeignPathError),
        ({"refusal": InvalidRequestError("no")}, InvalidRequestError),
        ({"agent_name": "nobody"}, UnknownAgentError),
        ({"agent_name": "No Name"}, UnknownAgentError),
        ({"agent_name": "a\x00b"}, UnknownAgentError),
        ({"agent_name": str(uuid4())}, UnknownAgentError),
    ],
)
async def test_what_is_refused_before_begin_holds_nothing_and_runs_nothing(
    rig: Rig, changes: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await rig.call(**changes)

    assert not rig.store.starts
    assert not rig.sandbox.runs


@pytest.mark.parametrize("changes", [{"token": None}, {"token": BOB}])
async def test_neither_database_nor_request_is_read_for_a_stranger(rig: Rig, changes: dict[str, Any]) -> None:
    call = FakeCall(**changes)

    with pytest.raises((UnauthenticatedError, ForeignPathError)):
        await rig.services.invocations.invoke(call)

    assert (rig.store.reads, call.reads) == (0, 0)


async def test_the_contract_is_read_once_and_then_kept(rig: Rig) -> None:
    await asyncio.gather(*(rig.call() for _ in range(5)))
    await rig.call()

    assert rig.store.reads == 1
    assert len(rig.store.ends) == 6


async def test_a_moved_version_is_read_again_and_the_inputs_with_it(rig: Rig) -> None:
    await rig.call(texts={"n": ["1"]})
    rig.store.put_agent(ALICE, "hello", number=2, schema=INTEGER)

    await rig.call(texts={"n": ["1"]})

    assert [start.inputs for start in rig.store.starts.values()] == [{"n": "1"}, {"n": 1}]
    assert [start.version for start in rig.store.starts.values()] == [1, 2]


async def test_a_version_that_keeps_moving_is_given_up_after_two_retries(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[RunStart] = []

    async def moved(principal: Principal, start: RunStart) -> BegunRun:
        attempts.append(start)
        raise VersionMovedError

    monkeypatch.setattr(rig.store, "begin", moved)

    with pytest.raises(VersionMovedError):
        await rig.call()

    assert len(attempts) == 3


async def test_a_refusal_rests_on_the_current_contract_not_on_a_kept_one(rig: Rig) -> None:
    rig.store.put_agent(ALICE, "hello", schema=INTEGER)
    await rig.call(inputs={"n": 1})
    rig.store.put_agent(ALICE, "hello", number=2)

    answer = await rig.call(inputs={"n": "text"})

    assert answer.status == 200


async def test_inputs_that_do_not_fit_hold_nothing(rig: Rig) -> None:
    rig.store.put_agent(ALICE, "hello", schema=INTEGER)

    for _ in range(2):
        with pytest.raises(InvalidInputsError):
            await rig.call(inputs={"n": "text"})

    rig.assert_nothing_held()
    assert not rig.store.starts


async def test_an_agent_deleted_elsewhere_is_unknown_even_when_its_contract_was_kept(rig: Rig) -> None:
    await rig.call()
    del rig.store.details[ALICE, "hello"]

    with pytest.raises(UnknownAgentError):
        await rig.call()
    with pytest.raises(UnknownAgentError):
        await rig.call()

    assert len(rig.store.starts) == 1


async def test_an_agent_made_anew_elsewhere_answers_although_its_predecessor_was_kept(rig: Rig) -> None:
    await rig.call(texts={"n": ["1"]})
    del rig.store.details[ALICE, "hello"]
    rig.store.put_agent(ALICE, "hello", schema=INTEGER)

    answer = await rig.call(texts={"n": ["1"]})

    assert answer.body == b'{"n":1}'


async def test_too_little_credit_runs_nothing(rig: Rig) -> None:
    rig.store.balances[ALICE] = PRICE - 1

    with pytest.raises(InsufficientCreditsError) as refusal:
        await rig.call()

    assert refusal.value.needed_microcredits == PRICE
    assert not rig.sandbox.runs


async def test_a_user_at_the_bound_is_refused_before_anything_is_held() -> None:
    rig = Rig(user_runs_live_max=1)
    release = asyncio.Event()

    async def wait(program: Program, inputs: Inputs) -> Result:
        await release.wait()
        return Result(Outcome.SUCCEEDED)

    rig.sandbox.behaviour = wait
    first = asyncio.create_task(rig.call())
    await rig.sandbox.started.wait()

    with pytest.raises(UserBusyError):
        await rig.call()

    assert len(rig.store.starts) == 1
    release.set()
    assert (await first).status == 200


@pytest.mark.parametrize(
    ("error", "answered"),
    [
        (SandboxBusyError(), RunNotStartedError),
        (TierUnavailableError(Tier.DOCKER, ("the engine is away",)), TierGoneError),
        (SandboxLostError(), RunLostError),
        (RuntimeError("a defect"), RunLostError),
        (TimeoutError(), RunLostError),
    ],
)
async def test_a_broken_sandbox_costs_nothing_and_leaves_no_hold(
    rig: Rig, error: Exception, answered: type[RunLostError]
) -> None:
    rig.sandbox.behaviour = ends_with(error)

    with pytest.raises(answered) as lost:
        await rig.call()

    assert (rig.end.state, rig.end.outcome, rig.end.reason) == (RunState.FAILED, "failed", "lost")
    assert not rig.end.billable
    assert type(lost.value) is answered
    assert lost.value.run_id in rig.store.ends
    rig.assert_nothing_held()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SandboxBusyError(), "busy: no place is free for a run of child now"),
        (TierUnavailableError(Tier.DOCKER, ("the engine is away",)), "the tier restricted of child is unavailable now"),
        (SandboxLostError(), "child was lost in run"),
    ],
)
async def test_a_called_agent_that_could_not_run_is_told_to_its_caller(rig: Rig, error: Exception, told: str) -> None:
    rig.store.put_agent(ALICE, "child")
    caught: list[str] = []

    async def behaviour(program: Program, inputs: Inputs) -> Result:
        if not inputs:  # the child's run
            raise error
        assert rig.sandbox.gloves is not None
        with pytest.raises(GloveError) as refused:
            await rig.sandbox.gloves.call("call", {"agent_name": "child", "inputs": {}})
        caught.append(refused.value.message)
        return Result(Outcome.SUCCEEDED)

    rig.sandbox.behaviour = behaviour

    assert (await rig.call()).status == 200
    assert [re.sub(" [0-9a-f-]{36}$", "", message) for message in caught] == [told]


async def test_a_caller_that_leaves_changes_nothing_about_the_run(rig: Rig) -> None:
    release = asyncio.Event()

    async def wait(program: Program, inputs: Inputs) -> Result:
        await release.wait()
        return Result(Outcome.SUCCEEDED)

    rig.sandbox.behaviour = wait
    caller = asyncio.create_task(rig.call())
    await rig.sandbox.started.wait()

    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    release.set()
    await rig.services.live.wait(1)

    assert (rig.end.outcome, rig.end.billable) == ("succeeded", True)


async def test_an_interrupted_run_is_lost_and_free(rig: Rig) -> None:
    async def wait_forever(program: Program, inputs: Inputs) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    rig.sandbox.behaviour = wait_forever
    caller = asyncio.create_task(rig.call())
    await rig.sandbox.started.wait()

    assert rig.services.live.interrupt_all() == 1
    assert rig.services.live.interrupt_all() == 0

    with pytest.raises(RunLostError):
        await caller
    rig.assert_nothing_held()
    assert len(rig.services.live) == 0


@pytest.mark.parametrize("failures", [1, 3])
async def test_finish_is_tried_again_while_the_lease_lives(rig: Rig, failures: int) -> None:
    await rig.services.lease.beat()

    async def go_down(program: Program, inputs: Inputs) -> Result:
        rig.store.down = failures
        return Result(Outcome.SUCCEEDED)

    rig.sandbox.behaviour = go_down

    assert (await rig.call()).status == 200
    assert rig.end.outcome == "succeeded"


async def test_finish_is_given_up_when_the_lease_may_have_ended() -> None:
    rig = Rig()

    async def go_down(program: Program, inputs: Inputs) -> Result:
        rig.store.down = 1_000
        return Result(Outcome.SUCCEEDED)

    rig.sandbox.behaviour = go_down

    with pytest.raises(RunLostError):
        await rig.call()

    assert rig.store.down == 998  # one attempt, and one to release the hold
    await rig.services.invocations.close()


async def test_a_hold_that_could_not_be_released_is_released_when_the_database_is_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.invocations.settling.RELEASE_PAUSE_S", 0.01)

    async def go_down(program: Program, inputs: Inputs) -> Result:
        rig.store.down = 4
        return Result(Outcome.SUCCEEDED)

    rig.sandbox.behaviour = go_down
    with pytest.raises(RunLostError):
        await rig.call()

    await asyncio.wait_for(rig.store.finished.wait(), 5)

    assert (rig.end.outcome, rig.end.reason) == ("failed", "lost")
    rig.assert_nothing_held()


async def test_a_finish_that_was_stored_although_its_answer_was_lost_is_answered(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.services.lease.beat()
    finish = rig.store.finish
    answers = iter([StoreUnavailableError()])

    async def lose_first_answer(principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        charge = await finish(principal, run, end)
        for error in answers:
            raise error
        return charge

    monkeypatch.setattr(rig.store, "finish", lose_first_answer)

    answer = await rig.call()

    assert (answer.status, answer.headers["Glovebox-Charge"]) == (200, "1")


async def test_the_last_finish_that_was_stored_although_its_answer_was_lost_is_answered(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease may have ended, so that there is no second attempt: the release tells that there was no need of it."""
    finish = rig.store.finish
    answers = iter([StoreUnavailableError()])

    async def lose_first_answer(principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        charge = await finish(principal, run, end)
        for error in answers:
            raise error
        return charge

    monkeypatch.setattr(rig.store, "finish", lose_first_answer)

    answer = await rig.call()

    assert (answer.status, answer.headers["Glovebox-Charge"]) == (200, "1")
    assert [end.outcome for end in rig.store.ends.values()] == ["succeeded"]


async def test_nobody_is_told_that_a_run_costs_nothing_before_that_is_known() -> None:
    rig = Rig()

    async def go_down(program: Program, inputs: Inputs) -> Result:
        rig.store.down = 1_000
        return Result(Outcome.SUCCEEDED)

    rig.sandbox.behaviour = go_down

    with pytest.raises(RunLostError, match="look at the run"):
        await rig.call()

    await rig.services.invocations.close()


async def test_a_run_that_somebody_else_ended_is_lost() -> None:
    rig = Rig()
    rig.store.finish_refusal = StaleRunError()

    with pytest.raises(RunLostError):
        await rig.call()

    assert not rig.store.ends


@pytest.mark.parametrize(
    "value", [float("nan"), [float("inf")], {"a": object()}, 10**5_000], ids=["nan", "inf", "object", "digits"]
)
async def test_a_result_that_cannot_be_encoded_is_a_bad_one_and_charged(rig: Rig, value: Any) -> None:
    result = Result(Outcome.SUCCEEDED, value=value, logs=(LogLine(1, "before"),), usage=Usage(wall_ms=9))
    rig.sandbox.behaviour = ends_with(result)

    answer = await rig.call()

    assert (answer.status, json.loads(answer.body)["code"]) == (502, "bad_result")
    assert answer.headers["Glovebox-Charge"] == "1"
    assert (rig.end.outcome, rig.end.reason, rig.end.billable) == ("bad_result", None, True)
    assert (rig.end.result_json, rig.end.wall_ms, rig.end.logs) == (None, 9, [])


@pytest.mark.parametrize(
    ("outcome", "settled"), [(Outcome.SUCCEEDED, "bad_result"), (Outcome.FAILED, "failed")], ids=str
)
async def test_what_the_store_refuses_of_an_end_is_left_out_and_the_run_is_charged(
    rig: Rig, outcome: Outcome, settled: str
) -> None:
    rig.store.finish_refusal = ValueError("the database refuses this value")
    rig.sandbox.behaviour = calls_a_glove(rig, Result(outcome, value="\0", logs=(LogLine(1, "\0"),)))

    answer = await rig.call()

    assert json.loads(answer.body)["code"] == settled
    assert (rig.end.outcome, rig.end.reason, rig.end.billable, rig.end.logs) == (settled, None, True, [])
    assert [(effect.glove, effect.request, effect.error) for effect in rig.end.effects] == [("nothing", {}, None)]


async def test_an_end_of_which_the_store_takes_nothing_does_not_keep_its_hold(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = rig.store.finish

    async def take_lost_ones(principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        if end.reason is None:
            raise ValueError("a defect of ours")
        return await finish(principal, run, end)

    monkeypatch.setattr(rig.store, "finish", take_lost_ones)

    with pytest.raises(RunLostError):
        await rig.call()

    assert rig.end.reason == "lost"
    rig.assert_nothing_held()


@pytest.mark.parametrize("outcome", [Outcome.TIER_UNSUITED, Outcome.REJECTED])
@pytest.mark.parametrize("test", [False, True])
async def test_outcomes_that_are_free_are_charged_once_a_glove_was_called(
    rig: Rig, outcome: Outcome, test: bool
) -> None:
    rig.sandbox.behaviour = ends_with(Result(outcome))
    free = await rig.call(test=test)
    rig.sandbox.behaviour = calls_a_glove(rig, Result(outcome))
    charged = await rig.call(test=test)

    assert [end.billable for end in rig.store.ends.values()] == [False, True]
    assert [end.outcome for end in rig.store.ends.values()] == [outcome.value] * 2
    paid = [answer.headers["Glovebox-Charge"] for answer in (free, charged)]
    assert paid == (["0", "0"] if test else ["0", "1"])


async def test_a_lost_run_is_free_although_it_called_a_glove(rig: Rig) -> None:
    rig.sandbox.behaviour = calls_a_glove(rig, SandboxLostError())

    with pytest.raises(RunLostError):
        await rig.call()

    assert (rig.end.reason, rig.end.billable, len(rig.end.effects)) == ("lost", False, 1)
    rig.assert_nothing_held()


async def test_a_large_result_is_sent_as_it_is(rig: Rig) -> None:
    value = {"text": "ü" * 400_000}
    result = Result(Outcome.SUCCEEDED, value=value)
    rig.sandbox.behaviour = ends_with(replace(result, usage=Usage(output_bytes=800_000)))

    assert json.loads((await rig.call()).body) == value
