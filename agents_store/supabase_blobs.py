"""Bytes in a private bucket of a Supabase project, reached with its secret key alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from httpx import AsyncClient, HTTPError, Limits
from storage3 import AsyncStorageClient
from storage3.exceptions import StorageApiError

from agents_store.blobs import require_key
from agents_store.errors import StoreMisconfiguredError, StoreUnavailableError, UnknownFileError

BUCKET = "glovebox-run-files"
OPERATION_S_MAX = 20.0
CONNECTIONS_MAX = 16
MEDIA_TYPE = "application/octet-stream"  # whatever it is: nothing but this server reads it


class SupabaseBlobs:
    """See `agents_store.blobs.Blobs`. The bucket is made when the project has none.

    Args:
        url: of the project.
        headers: what requests of the server itself carry.
    """

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._url = f"{url.rstrip('/')}/storage/v1/"
        self._headers = headers
        self._http: AsyncClient | None = None

    async def open(self) -> None:
        """Make the bucket where it is missing. Raises StoreMisconfiguredError, StoreUnavailableError."""
        self._http = AsyncClient(
            timeout=OPERATION_S_MAX, limits=Limits(max_connections=CONNECTIONS_MAX), trust_env=False
        )
        try:
            async with _bounded():
                await self._storage.create_bucket(BUCKET, options={"public": False})
        except StorageApiError as exc:
            if _status_of(exc) >= 500:
                raise StoreUnavailableError("the project's storage cannot be used now") from exc
            if _status_of(exc) != 409:  # which says that it is there
                raise StoreMisconfiguredError(
                    "the Supabase project's storage refuses the secret key; set GLOVEBOX_FILES_DIR to store files here"
                ) from exc

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        if self._http is not None:
            await self._http.aclose()

    async def put(self, key: str, content: bytes) -> None:
        """See `Blobs`."""
        async with self._told():
            await self._storage.from_(BUCKET).upload(require_key(key), content, {"content-type": MEDIA_TYPE})

    async def get(self, key: str) -> bytes:
        """See `Blobs`."""
        try:
            async with _bounded():
                return await self._storage.from_(BUCKET).download(require_key(key))
        except StorageApiError as exc:
            if _status_of(exc) in (400, 404):  # older releases say 400 of what is not there
                raise UnknownFileError(f"nothing is stored under {key}") from exc
            raise StoreUnavailableError("the project's storage cannot be used now") from exc

    async def remove(self, keys: Sequence[str]) -> None:
        """See `Blobs`."""
        async with self._told():
            await self._storage.from_(BUCKET).remove([require_key(key) for key in keys])

    @property
    def _storage(self) -> AsyncStorageClient:
        if self._http is None:
            raise RuntimeError("the storage is not open")
        return AsyncStorageClient(self._url, self._headers, http_client=self._http)

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        try:
            async with _bounded():
                yield
        except StorageApiError as exc:
            raise StoreUnavailableError("the project's storage cannot be used now") from exc


@asynccontextmanager
async def _bounded() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(OPERATION_S_MAX):
            yield
    except (HTTPError, TimeoutError) as exc:
        raise StoreUnavailableError("the project's storage does not answer") from exc


def _status_of(error: StorageApiError) -> int:
    try:
        return int(error.status)
    except ValueError:
        return 0
