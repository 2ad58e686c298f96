"""Files of runs on a project: what is known of them, and which stored bytes nobody needs any more."""

from collections.abc import Sequence
from uuid import UUID

from agents_store.errors import TooManyFilesError, UnknownFileError, UnknownRunError
from agents_store.supabase_store.data_api import Arguments, typed
from agents_store.supabase_store.runs import RunRoom
from agents_store.supabase_store.translate import RefusedValueError
from agents_store.types import RUN_FILES_MAX, NewFile, Principal, RunFile

_FILE = "name,media_type,size_bytes,sha256,storage_key,created_at"


class FileRoom(RunRoom):
    """The part of the store that knows the files of runs. Their bytes are elsewhere."""

    async def reserve_file(self, storage_key: str) -> None:
        """Note that bytes are about to be stored: where no file names them within the hour, they are to be removed."""
        await self.call_as_server("reserve_file", {"storage_key": storage_key})

    async def add_file(self, principal: Principal, run_id: UUID, file: NewFile) -> RunFile:
        """Let a run have a file whose bytes are stored, in place of one of the same name.

        Raises:
            UnknownRunError: the caller has no such run.
            TooManyFilesError: the run has `RUN_FILES_MAX` files; nothing was stored.
            ValueError: bytes that were not announced, or something else that the schema refuses.
        """
        try:
            stored = await self.call(principal, "add_file", file_arguments(run_id, file))
        except RefusedValueError as exc:
            raise_too_many(exc)
            raise
        if stored is None:
            raise UnknownRunError(f"no run {run_id}")
        return RunFile(**typed(stored))

    async def list_files(self, principal: Principal, run_id: UUID) -> list[RunFile]:
        """The files of a run, by name. Raises UnknownRunError."""
        rows = await self.rows(self.table(principal, "run_files").select(_FILE).eq("run_id", run_id).order("name"))
        if not rows:
            await self.find_run(principal, run_id)
        return [RunFile(**row) for row in rows]

    async def get_file(self, principal: Principal, run_id: UUID, name: str) -> RunFile:
        """One file of a run. Raises UnknownRunError, UnknownFileError."""
        rows = await self.rows(self.table(principal, "run_files").select(_FILE).eq("run_id", run_id).eq("name", name))
        if not rows:
            await self.find_run(principal, run_id)
            raise UnknownFileError(f"run {run_id} has no such file")
        return RunFile(**rows[0])

    async def unneeded_files(self, limit: int) -> list[str]:
        """Storage keys of bytes that no file names any more, at most `limit`."""
        return list(await self.call_as_server("unneeded_files", {"rows_max": limit}))

    async def forget_files(self, storage_keys: Sequence[str]) -> None:
        """Note that unneeded bytes have been removed."""
        await self.call_as_server("forget_files", {"storage_keys": list(storage_keys)})


def file_arguments(run_id: UUID, file: NewFile) -> Arguments:
    """What `add_file` of the database takes."""
    return {
        "run_id": str(run_id),
        "name": file.name,
        "media_type": file.media_type,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "storage_key": file.storage_key,
    }


def raise_too_many(refused: RefusedValueError) -> None:
    """Raise TooManyFilesError where that is what a constraint says."""
    if refused.constraint == "run_files_bounded":
        raise TooManyFilesError(RUN_FILES_MAX) from refused
