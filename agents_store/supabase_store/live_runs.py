"""Live runs on a project: their logs, and requests to cancel them, from any server."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from agents_store.errors import RunFinishedError, UnknownRunError
from agents_store.postgres.database import to_json
from agents_store.postgres.live_runs import TAIL_BYTES_MAX
from agents_store.postgres.rows import Row
from agents_store.postgres.runs import LIVE_STATES, log_row
from agents_store.postgres.storable import storable_json
from agents_store.supabase_store.data_api import DataApi
from agents_store.types import (
    TAIL_TEXT_MAX,
    BegunRun,
    LogRecord,
    LogTail,
    Notice,
    Principal,
    RunState,
    TailLine,
)

TAIL_LINES_MAX = 100  # read at once; together no more than a run may write


class LiveRunRoom(DataApi):
    """The part of the store that servers reach each other's runs through."""

    async def append_logs(self, principal: Principal, run: BegunRun, lines: Sequence[LogRecord]) -> bool:
        """Store log lines of a run that lives. False when it does not: nothing was stored.

        May be repeated with the same lines where it is not known whether they were stored.
        """
        arguments = {
            "run_id": str(run.run_id),
            "revision": run.revision,
            "logs": storable_json([log_row(record) for record in lines]),
        }
        return bool(await self.call(principal, "append_logs", arguments))

    async def read_tail(self, principal: Principal, run_id: UUID, *, after_seq: int) -> LogTail:
        """The next lines of a run's log, a bounded number of bytes of them. Raises UnknownRunError."""
        # First where it stands: where it had ended, the lines read after that are all there are.
        standing = self.table(principal, "runs").select("state,outcome,reason,charge_microcredits").eq("id", run_id)
        runs = await self.rows(standing)
        if not runs:
            raise UnknownRunError(f"no run {run_id}")
        lines = self.table(principal, "run_logs").select("seq,at_ms,message,fields").eq("run_id", run_id)
        rows = await self.rows(lines.gt("seq", after_seq).order("seq").limit(TAIL_LINES_MAX))
        return LogTail(**{**runs[0], "state": RunState(runs[0]["state"])}, lines=_within(rows))

    async def announce_end(self, run_id: UUID) -> None:
        """Tell a run's followers at servers that listen to the database that it has ended."""
        await self.call_as_server("announce_end", {"run_id": str(run_id)})

    async def request_cancel(self, principal: Principal, run_id: UUID) -> None:
        """Ask the server that executes a run to end it. Raises UnknownRunError, RunFinishedError."""
        state = await self.call(principal, "request_cancel", {"run_id": str(run_id)})
        if state is None:
            raise UnknownRunError(f"no run {run_id}")
        if RunState(state) not in LIVE_STATES:
            raise RunFinishedError(run_id, state)

    async def cancel_requests(self, server_id: UUID) -> Sequence[UUID]:
        """The live runs of a server that their owners asked to cancel."""
        found = await self.call_as_server("cancel_requests", {"server_id": str(server_id)})
        return [UUID(run_id) for run_id in found]

    async def notices(self) -> AsyncIterator[Notice]:
        """Ends at once: the Data API tells nothing unasked, and whoever waits looks by itself."""
        nothing: tuple[Notice, ...] = ()
        for notice in nothing:
            yield notice


def _within(rows: Sequence[Row]) -> list[TailLine]:
    """Lines cut to what followers get, at most `TAIL_BYTES_MAX` of text before the last one."""
    lines: list[TailLine] = []
    bytes_before = 0
    for row in rows:
        if bytes_before >= TAIL_BYTES_MAX and lines:
            break
        fields_text = to_json(row["fields"])
        cut = len(row["message"]) > TAIL_TEXT_MAX or len(fields_text) > TAIL_TEXT_MAX
        message = row["message"][:TAIL_TEXT_MAX]
        fields = {} if len(fields_text) > TAIL_TEXT_MAX else row["fields"]
        lines.append(TailLine(row["seq"], row["at_ms"], message, fields, cut))
        bytes_before += min(len(row["message"].encode()), TAIL_TEXT_MAX) + min(len(fields_text), TAIL_TEXT_MAX)
    return lines
