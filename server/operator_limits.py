"""Limits that the operator changes while servers run: rows of the database, in force on every server in seconds."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from agents_store.errors import StoreError
from agents_store.store import Store
from sandbox.types import Limits
from server.invocations.admission import Admission
from server.invocations.rates import DryRunRates
from server.settings import Settings

LOOK_S = 2.0  # how late a change is found where its notice did not come through

log = structlog.get_logger(__name__)


class HasCeilings(Protocol):
    """What checks new versions against the highest limits that an agent may ask for."""

    ceilings: Limits


class OperatorLimits:
    """Applies the rows of the table `limits`, each in place of the setting of its name, which holds without one."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        admission: Admission,
        rates: DryRunRates,
        checked: Sequence[HasCeilings],
    ) -> None:
        self._settings = settings
        self._store = store
        self._admission = admission
        self._rates = rates
        self._checked = checked
        self._applied: Mapping[str, int] = {}
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._look_on(), name="operator-limits")

    async def close(self) -> None:
        """Stop looking. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def look_now(self) -> None:
        """Look without waiting for the next time."""
        self._asked.set()

    def apply(self, rows: Mapping[str, int]) -> None:
        """Put these in force from the next request on; runs that began keep what they began with."""
        if rows == self._applied:
            return
        self._applied = dict(rows)
        settings = self._settings
        self._admission.user_max = {
            False: rows.get("user_runs_live_max", settings.user_runs_live_max),
            True: rows.get("user_dry_runs_live_max", settings.user_dry_runs_live_max),
        }
        self._rates.per_hour_max = rows.get("user_dry_runs_per_hour_max", settings.user_dry_runs_per_hour_max)
        ceilings = replace(
            settings.ceilings,
            **{name.replace("_ceiling", "_max"): rows[name] for name in rows if name.endswith("_ceiling")},
        )
        for checked in self._checked:
            checked.ceilings = ceilings
        log.info("limits_changed", **self._applied)

    async def _look_on(self) -> None:
        while True:
            await self._look()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._asked.wait()
            except TimeoutError:
                pass
            self._asked.clear()

    async def _look(self) -> None:
        try:
            self.apply(await self._store.read_limits())
        except StoreError as exc:
            log.warning("limits_not_read", error=type(exc).__name__)
        # A worker loop: a defect in one round must not keep every later change from this process.
        except Exception:
            log.exception("limits_not_read")
