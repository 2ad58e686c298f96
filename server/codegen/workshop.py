"""Where drafts are checked and tried: in the tiers' own walls, under the same admission as everybody's runs."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from agents_store.types import NewVersion, Principal
from sandbox.errors import SandboxBusyError, SandboxLostError
from sandbox.tiers import Tiers
from sandbox.types import JsonValue, Limits, LogLine, Program, Result, Tier
from server.agents.drafts import Draft, read_hosts
from server.agents.service import Agents
from server.codegen.answers import FetchText, TriedExample
from server.gloves.budget import Bound
from server.gloves.fitting import Fitting, Trial
from server.gloves.mocks import FetchAnswer, FetchMatch, FetchMock, Mocks
from server.gloves.run import RunGloves
from server.invocations.admission import Admission

TRIES_MAX = 3
TRY_PAUSE_S = 1.0
SANDBOX_GRACE_S = 30.0  # a sandbox ends runs by itself within their limit + 1 s; above this it is broken


class TierWorkshop:
    """Implements `server.codegen.loop.Workshop`."""

    def __init__(self, tiers: Tiers, fitting: Fitting, admission: Admission, agents: Agents) -> None:
        self._tiers = tiers
        self._fitting = fitting
        self._admission = admission
        self._agents = agents

    async def check(self, principal: Principal, draft: Draft, agent_id: UUID | None) -> NewVersion:
        """The version that a draft comes to. Raises InvalidRequestError, CodeRejectedError."""
        return await self._agents.checked(principal, draft, agent_id=agent_id)

    async def try_example(
        self, principal: Principal, version: NewVersion, example: TriedExample, agent_id: UUID | None
    ) -> Result:
        """A dry run of one example that nothing is charged for and nothing is stored of.

        Tried again where a sandbox was busy or died.

        Raises:
            ServerBusyError, ShuttingDownError, SandboxBusyError, SandboxLostError, TierUnavailableError: no end.
        """
        for tries_left in reversed(range(TRIES_MAX)):
            try:
                async with self._admission.place(principal.user_id):
                    return await self._run(principal, version, example, agent_id)
            except (SandboxBusyError, SandboxLostError):
                if not tries_left:
                    raise
            await asyncio.sleep(TRY_PAUSE_S)
        raise SandboxBusyError

    async def _run(
        self, principal: Principal, version: NewVersion, example: TriedExample, agent_id: UUID | None
    ) -> Result:
        sandbox = self._tiers.get(Tier(version.resolved_tier))
        limits = Limits(**version.limits)
        trial = Trial(
            principal=principal,
            allowed_hosts=read_hosts(version.allowed_hosts),
            limits=limits,
            # By chance, as in life: what comes out for one seed alone is not proven.
            seed=secrets.randbits(63),
            started_at=datetime.now(UTC),
            agent_id=agent_id,
        )
        gloves = self._fitting.trial_gloves(trial)
        try:
            async with asyncio.timeout(limits.wall_ms_max / 1000 + SANDBOX_GRACE_S):
                worn = ExampleGloves(gloves, mocks_of(example.fetches))
                return await sandbox.run(Program(version.code), example.inputs, limits, worn)
        except TimeoutError as exc:
            raise SandboxLostError("the sandbox did not end the example") from exc
        finally:
            await gloves.close()


class ExampleGloves:
    """A dry run's gloves, but that the example answers its own fetches, before anybody asks where they would go.

    So an agent can be tried whose hosts its caller has not named; whatever the example does not answer is refused.
    """

    def __init__(self, gloves: RunGloves, mocks: Mocks) -> None:
        self.owner = gloves.owner
        self.test = gloves.test
        self.seed = gloves.seed
        self.started_at = gloves.started_at
        self.frozen_clock = gloves.frozen_clock
        self._gloves = gloves
        self._mocks = mocks

    async def call(self, glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """See `sandbox.types.Gloves`."""
        if glove == "fetch" and (answered := self._mocks.fetch(arguments)) is not None:
            self._gloves.budget.spend(Bound.GLOVE_CALLS)
            self._gloves.budget.spend(Bound.FETCHES)
            return answered.value
        return await self._gloves.call(glove, arguments)

    def log(self, line: LogLine) -> None:
        """See `sandbox.types.Gloves`."""
        self._gloves.log(line)


def mocks_of(fetches: Sequence[FetchText]) -> Mocks:
    """What an example says of fetches, as mocks of its dry run."""
    return Mocks(
        [
            FetchMock(
                glove="fetch",
                match=FetchMatch(method=fetch.method, url=fetch.url),
                answer=FetchAnswer(status=fetch.status, text=fetch.body),
            )
            for fetch in fetches
        ]
    )
