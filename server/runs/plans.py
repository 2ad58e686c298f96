"""What a dry run listed, read back so that it can be carried out: every effect in order, also of what it called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from agents_store.errors import UnknownAgentError, UnknownRunError, UnknownSecretError, UnknownVersionError
from agents_store.store import Store
from agents_store.types import EffectRecord, EffectStatus, MemoryRead, Principal, RecordedRun, Run
from sandbox.types import Outcome
from server.errors import NotApplicableError
from server.gloves.budget import GLOVE_CALLS_MAX
from server.gloves.calls import DEPTH_MAX
from server.gloves.effect import EffectError
from server.gloves.secrets import OpenSecret
from server.gloves.vault import Vault

_WITHHELD = frozenset({"memory.put", "memory.delete", "files.write"})
_READING = frozenset({"GET", "HEAD"})
_CARRIED_OUT = frozenset({EffectStatus.PERFORMED, EffectStatus.WITHHELD})


@dataclass(frozen=True, slots=True)
class Listed:
    """One dry run with all that is stored of it, and the secrets that its requests name, by their placeholders."""

    run: Run
    recorded: RecordedRun
    effects: Sequence[EffectRecord]
    secrets: Mapping[str, OpenSecret] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One effect to carry out. `place` counts all effects that were listed, from 1."""

    place: int
    listed: Listed
    effect: EffectRecord

    @property
    def idempotency_key(self) -> str:
        """What tells the other side that a request is the same one."""
        return f"{self.listed.run.id}:{self.effect.seq}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be carried out, in order, and what it rests on."""

    root: Listed
    steps: Sequence[Step]
    reads: Sequence[MemoryRead]


async def plan_of(store: Store, vault: Vault, principal: Principal, run_id: UUID) -> Plan:
    """Read back a dry run of the caller's.

    Raises:
        UnknownRunError: the caller has no such run.
        NotApplicableError: it is no dry run that can be carried out, and why.
    """
    reading = _Reading(store, vault, principal)
    root = await reading.listed(run_id, called=False)
    await reading.walk(root, DEPTH_MAX)
    return Plan(root, reading.steps, reading.reads)


class _Reading:
    """Goes through the effects of a dry run and of what it called, in the order in which they came about."""

    def __init__(self, store: Store, vault: Vault, principal: Principal) -> None:
        self.steps: list[Step] = []
        self.reads: list[MemoryRead] = []
        self._store = store
        self._vault = vault
        self._principal = principal
        self._places = 0

    async def listed(self, run_id: UUID, *, called: bool) -> Listed:
        """All that is stored of a dry run. Raises UnknownRunError, NotApplicableError."""
        run = await self._store.get_run(self._principal, run_id)
        _require_applicable(run, called=called)
        effects = await self._store.list_effects(self._principal, run_id, after_seq=0, limit=GLOVE_CALLS_MAX)
        try:
            recorded = await self._store.recorded_run(self._principal, run_id)
            current = await self._store.get_agent(self._principal, run.agent_name)
        except (UnknownAgentError, UnknownVersionError) as exc:
            raise NotApplicableError(f"The agent {run.agent_name!r} was deleted.") from exc
        if (current.agent.id, current.agent.version) != (recorded.agent_id, run.version):
            raise NotApplicableError(f"The agent {run.agent_name!r} has changed since; run it dry again.")
        return Listed(run, recorded, effects, await self._secrets(recorded.agent_id, effects))

    async def walk(self, listed: Listed, depth_left: int) -> None:
        """Take down what is to be done and what it rests on. Raises NotApplicableError."""
        for effect in listed.effects:
            self._places += 1
            _require_answered(effect)
            if (read := _read_of(listed, effect)) is not None:
                self.reads.append(read)
            if _is_to_be_done(effect):
                self.steps.append(Step(self._places, listed, effect))
            elif effect.glove == "call" and (called_id := _called_by(effect)) is not None:
                if not depth_left:
                    raise NotApplicableError("The dry run's calls go deeper than a run's can.")
                await self.walk(await self._called(called_id), depth_left - 1)

    async def _called(self, run_id: UUID) -> Listed:
        try:
            return await self.listed(run_id, called=True)
        except UnknownRunError as exc:
            raise NotApplicableError("A run that the dry run called is past its retention.") from exc

    async def _secrets(self, agent_id: UUID, effects: Sequence[EffectRecord]) -> dict[str, OpenSecret]:
        """The secrets that a run asked for, by placeholder. Raises NotApplicableError where one is gone."""
        opened: dict[str, OpenSecret] = {}
        for effect in effects:
            if effect.glove == "secrets.use" and effect.status is EffectStatus.PERFORMED:
                try:
                    opened[effect.response] = await self._vault.open(self._principal, agent_id, effect.request["name"])
                except (UnknownSecretError, EffectError) as exc:
                    raise NotApplicableError("A secret that the dry run used is gone; run it dry again.") from exc
        return opened


def _require_applicable(run: Run, *, called: bool) -> None:
    if not run.test:
        raise NotApplicableError("Only a dry run can be applied.")
    if run.parent_run_id is not None and not called:
        raise NotApplicableError(f"An agent called this one; apply run {run.parent_run_id} instead.")
    if run.outcome is None:
        raise NotApplicableError("The dry run goes on; wait for its end.")
    if not run.complete:
        raise NotApplicableError("The dry run is incomplete; run it again with a mock for the effect that ended it.")
    if run.outcome != Outcome.SUCCEEDED and not called:
        raise NotApplicableError(f"The dry run did not succeed: it ended {run.outcome}.")
    if run.reason is not None:
        raise NotApplicableError("A part of the dry run was lost; run it dry again.")


def _require_answered(effect: EffectRecord) -> None:
    """Raise NotApplicableError where what the program went on with is not what would have been."""
    if effect.status is EffectStatus.UNKNOWN:
        raise NotApplicableError(f"It is not known what became of effect {effect.seq} of the dry run.")
    if effect.glove == "call" and effect.status is EffectStatus.MOCKED:
        raise NotApplicableError(
            f"Effect {effect.seq} is a call that a mock answered, so that what the called agent would do is not listed."
        )


def _is_to_be_done(effect: EffectRecord) -> bool:
    """Whether the dry run left this to be carried out: it was withheld, or sent nothing but answered from a mock.

    What a mock let fail is not: the program was told that it did not come about, and went on from there.
    """
    if effect.error is not None:
        return False
    if effect.glove in _WITHHELD:
        return effect.status is EffectStatus.WITHHELD
    if effect.glove != "fetch" or effect.status is not EffectStatus.MOCKED:
        return False
    return str(effect.request.get("method", "GET")).upper() not in _READING


def _read_of(listed: Listed, effect: EffectRecord) -> MemoryRead | None:
    request: Any = effect.request
    if not effect.glove.startswith("memory.") or effect.status not in _CARRIED_OUT or "revision" not in request:
        return None
    return MemoryRead(listed.recorded.agent_id, request.get("key"), int(request["revision"]))


def _called_by(effect: EffectRecord) -> UUID | None:
    """The run that a call led to. What was refused led to none, whatever its program wrote there."""
    told = effect.request if effect.status in _CARRIED_OUT else effect.response
    if effect.status is EffectStatus.REFUSED or not isinstance(told, Mapping) or "run_id" not in told:
        return None
    return UUID(told["run_id"])
