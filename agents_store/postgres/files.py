"""Files of runs: what is known of them, and which stored bytes nobody needs any more."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.errors import CheckViolation
from psycopg.types.numeric import Int4, Int8

from agents_store.errors import TooManyFilesError, UnknownFileError, UnknownRunError
from agents_store.postgres.connection import Connection, Role, acting_as, claims_of
from agents_store.postgres.database import Database, Params, Rows, execute
from agents_store.types import RUN_FILES_MAX, NewFile, Principal, RunFile


class FileRoom(Database):
    """The part of the store that knows the files of runs. Their bytes are elsewhere."""

    async def reserve_file(self, storage_key: str) -> None:
        """Note that bytes are about to be stored: where no file names them within the hour, they are to be removed."""
        await self.as_login("reserve_file", {"storage_key": storage_key})

    async def add_file(self, principal: Principal, run_id: UUID, file: NewFile) -> RunFile:
        """Let a run have a file whose bytes are stored, in place of one of the same name.

        Raises:
            UnknownRunError: the caller has no such run.
            TooManyFilesError: the run has `RUN_FILES_MAX` files; nothing was stored.
            ValueError: bytes that were not announced, or something else that the schema refuses.
        """
        async with self.connection() as conn:
            try:
                async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                    stored = await send_file(conn, run_id, file)
            except CheckViolation as exc:
                raise_too_many(exc)
                raise
            return await stored_file(stored, run_id)

    async def list_files(self, principal: Principal, run_id: UUID) -> list[RunFile]:
        """The files of a run, by name. Raises UnknownRunError."""
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                known = await execute(conn, "run_exists", {"run_id": run_id})
                found = await execute(conn, "list_files", {"run_id": run_id})
            if await known.fetchone() is None:
                raise UnknownRunError(f"no run {run_id}")
            return [RunFile(**row) for row in await found.fetchall()]

    async def get_file(self, principal: Principal, run_id: UUID, name: str) -> RunFile:
        """One file of a run. Raises UnknownRunError, UnknownFileError."""
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                known = await execute(conn, "run_exists", {"run_id": run_id})
                found = await execute(conn, "get_file", {"run_id": run_id, "name": name})
            if await known.fetchone() is None:
                raise UnknownRunError(f"no run {run_id}")
            row = await found.fetchone()
        if row is None:
            raise UnknownFileError(f"run {run_id} has no such file")
        return RunFile(**row)

    async def unneeded_files(self, limit: int) -> list[str]:
        """Storage keys of bytes that no file names any more, at most `limit`."""
        found: list[str] = await self.as_login("find_unneeded_files", {"rows_max": Int4(limit)})
        return found

    async def forget_files(self, storage_keys: Sequence[str]) -> None:
        """Note that unneeded bytes have been removed."""
        await self.as_login("forget_files", {"storage_keys": list(storage_keys)})


async def send_file(conn: Connection, run_id: UUID, file: NewFile) -> Rows:
    """Send the statement that adds a file; see `stored_file` and `raise_too_many`."""
    params: Params = {
        "run_id": run_id,
        "name": file.name,
        "media_type": file.media_type,
        "size_bytes": Int8(file.size_bytes),
        "sha256": file.sha256,
        "storage_key": file.storage_key,
    }
    return await execute(conn, "add_file", params)


async def stored_file(stored: Rows, run_id: UUID) -> RunFile:
    """What `send_file` stored. Raises UnknownRunError where it stored nothing."""
    row = await stored.fetchone()
    if row is None:
        raise UnknownRunError(f"no run {run_id}")
    return RunFile(**row)


def raise_too_many(violation: CheckViolation) -> None:
    """Raise TooManyFilesError where that is what a constraint says."""
    if violation.diag.constraint_name == "run_files_bounded":
        raise TooManyFilesError(RUN_FILES_MAX) from violation
