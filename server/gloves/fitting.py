"""Fits each run with its gloves: the one place that knows all of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

import httpx

from agents_store.store import Store
from agents_store.types import BegunRun, Principal
from sandbox.types import GloveFault, JsonValue, Limits, LogLine
from server.gloves.budget import Budget
from server.gloves.calls import Called, CallingRun, RunCalls
from server.gloves.dialling import SystemResolver
from server.gloves.effect import EffectError
from server.gloves.embeddings import Embedder, build_embedder
from server.gloves.fetch import Network, RunFetch
from server.gloves.files import Files, RunFiles, build_blobs
from server.gloves.hosts import HostPattern
from server.gloves.memory import RunMemory
from server.gloves.mocks import Mocks
from server.gloves.overlay import Overlay
from server.gloves.run import RunGloves, drop_line
from server.gloves.secret_box import build_secret_box
from server.gloves.secrets import RunSecrets
from server.gloves.vault import Vault
from server.settings import Settings

# Runs an agent for a run. Raises EffectError where nothing of it ran.
CallFor = Callable[[CallingRun, str, Mapping[str, JsonValue]], Awaitable[Called]]


@dataclass(frozen=True, slots=True)
class Fit:
    """What gloves need to know of a run that began. `above` is the run whose program called this one's agent."""

    principal: Principal
    run: BegunRun
    agent_id: UUID
    allowed_hosts: Sequence[HostPattern]
    limits: Limits
    test: bool
    seed: int
    mocks: Mocks = field(default_factory=Mocks)
    above: CallingRun | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What gloves need to know of a program that is tried before it is a version; `agent_id` None: of no agent yet."""

    principal: Principal
    allowed_hosts: Sequence[HostPattern]
    limits: Limits
    seed: int
    started_at: datetime
    agent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Fitting:
    """What the gloves of all runs of a process share."""

    store: Store
    network: Network
    vault: Vault
    embedder: Embedder
    files: Files

    def gloves_for(self, fit: Fit, call_for: CallFor, take_line: Callable[[LogLine], None] = drop_line) -> RunGloves:
        """The gloves of a run. Close them before it is finished."""
        budget = Budget(fit.limits, None if fit.above is None else fit.above.budget)
        gloves = RunGloves(
            str(fit.principal.user_id),
            fit.test,
            fit.seed,
            fit.run.started_at,
            take_line,
            budget=budget,
            claim_effect=partial(self.store.claim_effect, fit.principal, fit.run),
        )
        above = () if fit.above is None else fit.above.agent_ids
        calling = CallingRun(fit.run.run_id, (*above, fit.agent_id), fit.test, budget, fit.mocks)
        calls = RunCalls(partial(call_for, calling), budget=budget, mocks=fit.mocks, take_charge=gloves.take_charge)
        mocks = fit.mocks if fit.test else None
        self._give(gloves, fit.principal, fit.agent_id, fit.run.run_id, fit.allowed_hosts, mocks)
        gloves.give({"call": calls})
        return gloves

    def trial_gloves(self, trial: Trial) -> RunGloves:
        """The gloves of a dry run that no store knows, its clock standing still; it calls no agents. Close them."""
        gloves = RunGloves(
            str(trial.principal.user_id),
            test=True,
            seed=trial.seed,
            started_at=trial.started_at,
            frozen_clock=True,
            budget=Budget(trial.limits),
        )
        agent_id = trial.agent_id or uuid4()  # of an agent that remembers nothing
        self._give(gloves, trial.principal, agent_id, uuid4(), trial.allowed_hosts, Mocks())
        nobody = RunCalls(_call_nobody, budget=gloves.budget, mocks=Mocks(), take_charge=gloves.take_charge)
        gloves.give({"call": nobody})
        return gloves

    def _give(
        self,
        gloves: RunGloves,
        principal: Principal,
        agent_id: UUID,
        run_id: UUID,
        allowed_hosts: Sequence[HostPattern],
        mocks: Mocks | None,
    ) -> None:
        """Give everything but calls. `mocks` are those of a dry run, None in a live one."""
        secrets = RunSecrets(self.vault.opener(principal, agent_id))
        fetch = RunFetch(
            self.network,
            owner=gloves.owner,
            allowed=allowed_hosts,
            budget=gloves.budget,
            secrets=secrets,
            claim=gloves.claim,
            mocks=mocks,
        )
        memory = RunMemory(self.store, principal, agent_id, self.embedder, Overlay() if gloves.test else None)
        files = RunFiles(self.store, self.files, principal, run_id, dry=gloves.test)
        gloves.give({"fetch": fetch, "secrets.use": secrets.use, **memory.gloves(), **files.gloves()}, fetch.close)


@asynccontextmanager
async def open_fitting(settings: Settings, store: Store) -> AsyncIterator[Fitting]:
    """Open what gloves need besides the store, and close it in reverse.

    Raises:
        AuthMisconfiguredError, StoreMisconfiguredError: the settings cannot work, and what to do.
    """
    box = build_secret_box(settings)
    files = Files(store, build_blobs(settings))
    await files.open()
    embedder = build_embedder(settings)
    resolver = SystemResolver()
    tls = httpx.create_ssl_context(trust_env=False)
    network = Network(resolver, tls, frozenset(settings.fetch_private_hosts))
    try:
        yield Fitting(store, network, Vault(store, box), embedder, files)
    finally:
        resolver.close()
        await embedder.close()
        await files.close()


async def _call_nobody(agent_name: str, inputs: Mapping[str, JsonValue]) -> Called:
    raise EffectError(GloveFault.RUNTIME, "a program that is only tried calls no other agents")
