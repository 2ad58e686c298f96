"""Live runs: their logs, stored and told while they run, and requests to cancel them, from any server."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from psycopg import Notify
from psycopg.types.numeric import Int4

from agents_store.errors import RunFinishedError, UnknownRunError
from agents_store.postgres.connection import Role, acting_as, claims_of, connect
from agents_store.postgres.database import Database, execute
from agents_store.postgres.queries import query
from agents_store.postgres.runs import LIVE_STATES, log_row
from agents_store.postgres.storable import storable_rows
from agents_store.postgres.translate import translated
from agents_store.types import (
    TAIL_TEXT_MAX,
    BegunRun,
    LogRecord,
    LogTail,
    Notice,
    NoticeKind,
    Principal,
    RunState,
    TailLine,
)

TAIL_LINES_MAX = 100
TAIL_BYTES_MAX = 64 * 1024
CHANNELS = {
    "glovebox_logs": NoticeKind.LOGS,
    "glovebox_cancels": NoticeKind.CANCEL,
    "glovebox_limits": NoticeKind.LIMITS,
}
NO_RUN = UUID(int=0)


class LiveRunRoom(Database):
    """The part of the store that servers reach each other's runs through."""

    async def append_logs(self, principal: Principal, run: BegunRun, lines: Sequence[LogRecord]) -> bool:
        """Store log lines of a run that lives, and tell its followers. False when it does not: nothing was stored.

        May be repeated with the same lines where it is not known whether they were stored.
        """
        params = {
            "claims": claims_of(principal.user_id),
            "run_id": run.run_id,
            "revision": Int4(run.revision),
            "logs": await storable_rows(map(log_row, lines)),
        }
        return bool(await self.as_login("append_logs", params))

    async def read_tail(self, principal: Principal, run_id: UUID, *, after_seq: int) -> LogTail:
        """The next lines of a run's log, a bounded number of bytes of them. Raises UnknownRunError."""
        params = {
            "run_id": run_id,
            "after_seq": Int4(after_seq),
            "rows_max": Int4(TAIL_LINES_MAX),
            "bytes_max": Int4(TAIL_BYTES_MAX),
            "text_max": Int4(TAIL_TEXT_MAX),
        }
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                # First where it stands: where it had ended, the lines read after that are all there are.
                standing = await execute(conn, "tail_run", params)
                lines = await execute(conn, "tail_lines", params)
            run = await standing.fetchone()
            if run is None:
                raise UnknownRunError(f"no run {run_id}")
            return LogTail(
                **{**run, "state": RunState(run["state"])}, lines=[TailLine(**line) for line in await lines.fetchall()]
            )

    async def announce_end(self, run_id: UUID) -> None:
        """Tell a run's followers at other servers that it has ended."""
        await self.as_login("announce_end", {"run_id": run_id})

    async def request_cancel(self, principal: Principal, run_id: UUID) -> None:
        """Ask the server that executes a run to end it. Raises UnknownRunError, RunFinishedError."""
        params = {"claims": claims_of(principal.user_id), "run_id": run_id}
        async with self.connection() as conn:
            found = await (await conn.execute(query("request_cancel"), params)).fetchone()
        if found is None:
            raise UnknownRunError(f"no run {run_id}")
        if (state := RunState(found[0])) not in LIVE_STATES:
            raise RunFinishedError(run_id, state.value)

    async def cancel_requests(self, server_id: UUID) -> Sequence[UUID]:
        """The live runs of a server that their owners asked to cancel."""
        found: list[UUID] = await self.as_login("cancel_requests", {"server_id": server_id})
        return found

    async def notices(self) -> AsyncIterator[Notice]:
        """What servers of this database tell each other, from now on, until the iterator is closed.

        Ends at once behind a pooler in transaction mode: nothing would ever come through. Raises StoreUnavailableError.
        """
        if self._listen_dsn.behind_pooler:
            return
        with translated():
            async with await connect(self._listen_dsn) as conn:
                await conn.execute(query("listen"))
                async for notification in conn.notifies():
                    if (notice := _notice(notification)) is not None:
                        yield notice


def _notice(notification: Notify) -> Notice | None:
    kind = CHANNELS.get(notification.channel)
    if kind is NoticeKind.LIMITS:
        return Notice(kind, NO_RUN)
    try:
        return None if kind is None else Notice(kind, UUID(notification.payload))
    except ValueError:  # whoever may connect may say anything
        return None
