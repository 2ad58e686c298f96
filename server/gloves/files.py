"""`ctx.files`: artifacts that a run leaves for its owner, and the removal of what nobody needs any more."""

import asyncio
import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from uuid import UUID

import structlog
import uuid_utils.compat

from agents_store.blobs import Blobs, DirectoryBlobs
from agents_store.errors import StoreError, TooManyFilesError
from agents_store.store import Store
from agents_store.supabase_blobs import SupabaseBlobs
from agents_store.supabase_store.credentials import Project
from agents_store.types import FILE_NAME_CHARS_MAX, RUN_FILES_MAX, EffectStatus, NewFile, Principal, RunFile
from sandbox.types import GloveFault, JsonValue
from server.gloves.effect import Answered, Arguments, EffectError, Glove
from server.leases import every
from server.settings import Settings

FILE_BYTES_MAX = 1024 * 1024
MEDIA_TYPE_CHARS_MAX = 127
MEDIA_TYPE = "application/octet-stream"  # where a program names none
SWEEP_S = 60.0
SWEEP_TIMEOUT_S = 60.0
SWEEP_FILES = 200
SWEEP_ROUNDS_MAX = 50

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]*", re.ASCII)
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?:; ?charset=[A-Za-z0-9._-]+)?", re.ASCII)

log = structlog.get_logger("server.gloves")


class Files:
    """The files of all runs: their rows in the store, their bytes where they are stored."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs
        self._sweeping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Make ready, and begin to sweep now and then. Raises StoreMisconfiguredError."""
        await self._blobs.open()
        self._sweeping = asyncio.create_task(every(SWEEP_S, self.sweep_soon), name="files")

    async def close(self) -> None:
        """Stop. Idempotent."""
        task, self._sweeping = self._sweeping, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._blobs.close()

    async def keep(self, user_id: UUID, run_id: UUID, content: bytes) -> str:
        """Store bytes for a file of a run that is about to be added. Their key. Raises StoreError."""
        storage_key = f"{user_id}/{run_id}/{uuid_utils.compat.uuid7()}"
        await self._store.reserve_file(storage_key)
        await self._blobs.put(storage_key, content)
        return storage_key

    async def read(self, file: RunFile) -> bytes:
        """The bytes of a file. Raises UnknownFileError where they were just removed, StoreUnavailableError."""
        return await self._blobs.get(file.storage_key)

    async def sweep(self) -> int:
        """Remove bytes that no file names any more, in bounded batches. How many were removed. Raises StoreError."""
        removed = 0
        for _ in range(SWEEP_ROUNDS_MAX):
            unneeded = await self._store.unneeded_files(SWEEP_FILES)
            if not unneeded:
                break
            await self._blobs.remove(unneeded)
            await self._store.forget_files(unneeded)
            removed += len(unneeded)
        return removed

    async def sweep_soon(self) -> None:
        """Sweep now, or leave it to the next regular sweep where that cannot be done."""
        try:
            async with asyncio.timeout(SWEEP_TIMEOUT_S):
                await self.sweep()
        except (StoreError, TimeoutError) as exc:
            log.warning("files not removed yet", error=type(exc).__name__)


class RunFiles:
    """The files of one run. A dry run keeps none: its effects list them, with what would be kept."""

    def __init__(self, store: Store, files: Files, principal: Principal, run_id: UUID, *, dry: bool) -> None:
        self._store = store
        self._files = files
        self._principal = principal
        self._run_id = run_id
        self._dry = dry
        self._withheld: set[str] = set()

    def gloves(self) -> Mapping[str, Glove]:
        """The glove by its name."""
        return {"files.write": self.write}

    async def write(self, arguments: Arguments) -> Answered:
        """Leave a file in place of one of the same name; what is known of it. Raises EffectError, StoreError."""
        name, media_type, content = read_file(arguments)
        answer: dict[str, JsonValue] = {"name": name, "size_bytes": len(content)}
        if self._dry:
            if len(self._withheld | {name}) > RUN_FILES_MAX:
                raise _too_many()
            self._withheld.add(name)
            return Answered(answer, EffectStatus.WITHHELD, {**shown_file(arguments), "base64": arguments["base64"]})
        file = await self.kept(name, media_type, content)
        try:
            await self._store.add_file(self._principal, self._run_id, file)
        except TooManyFilesError as exc:
            raise _too_many() from exc
        return Answered(answer, request=shown_file(arguments))

    async def kept(self, name: str, media_type: str, content: bytes) -> NewFile:
        """A file whose bytes are stored, to be added to the run. Raises StoreError."""
        storage_key = await self._files.keep(self._principal.user_id, self._run_id, content)
        return NewFile(name, media_type, len(content), hashlib.sha256(content).hexdigest(), storage_key)


def build_blobs(settings: Settings) -> Blobs:
    """Where the settings say that bytes are stored: a directory, or the Supabase project whose secret key is there."""
    key = settings.supabase_secret_key or settings.supabase_service_role_key
    if settings.files_dir is None and settings.supabase_url is not None and key is not None:
        project = Project(str(settings.supabase_url), publishable_key="", secret_key=key.get_secret_value())
        return SupabaseBlobs(project.url, project.server_headers())
    return DirectoryBlobs(settings.files_dir or settings.data_dir / "files")


def is_file_name(name: str) -> bool:
    """Whether a file can have this name."""
    return len(name) <= FILE_NAME_CHARS_MAX and _NAME.fullmatch(name) is not None


def read_file(arguments: Arguments) -> tuple[str, str, bytes]:
    """Name, media type and bytes of a `files.write`. Raises EffectError."""
    if others := set(arguments) - {"name", "base64", "media_type"}:
        raise _invalid(f"write() does not take {min(others)!r}")
    name, media_type, text = arguments.get("name"), arguments.get("media_type"), arguments.get("base64")
    if not isinstance(name, str) or not is_file_name(name):
        raise _invalid(
            f"a name has 1 to {FILE_NAME_CHARS_MAX} letters, digits, spaces, dots, hyphens and underscores, and begins"
            " with none of space, dot and hyphen"
        )
    if media_type is None:
        media_type = MEDIA_TYPE
    if (
        not isinstance(media_type, str)
        or len(media_type) > MEDIA_TYPE_CHARS_MAX
        or not _MEDIA_TYPE.fullmatch(media_type)
    ):
        raise _invalid("a media type is such as text/csv or application/json")
    if not isinstance(text, str) or len(text) > (FILE_BYTES_MAX + 2) // 3 * 4:
        raise _invalid(f"a file has at most {FILE_BYTES_MAX} bytes")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _invalid("write() takes bytes or a text") from exc
    if len(content) > FILE_BYTES_MAX:
        raise _invalid(f"a file has at most {FILE_BYTES_MAX} bytes")
    return name, media_type, content


def shown_file(arguments: Arguments) -> dict[str, JsonValue]:
    """What effects show of a `files.write`: the bytes by their size and SHA-256. Raises EffectError."""
    name, media_type, content = read_file(arguments)
    return {
        "name": name,
        "media_type": media_type,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _too_many() -> EffectError:
    return EffectError(GloveFault.RUNTIME, f"a run leaves at most {RUN_FILES_MAX} files")


def _invalid(message: str) -> EffectError:
    return EffectError(GloveFault.VALUE, f"ctx.files: {message}")
