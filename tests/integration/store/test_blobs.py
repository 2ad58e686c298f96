"""Bytes that are no rows: stored whole or not at all, private, removed with what is empty then; in both places."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents_store.blobs import Blobs, DirectoryBlobs
from agents_store.errors import StoreMisconfiguredError, StoreUnavailableError, UnknownFileError
from agents_store.supabase_blobs import BUCKET, SupabaseBlobs
from tests.support.http_server import Received, Served, http_server

KEY = "11111111-0000-4000-8000-000000000000/22222222-0000-4000-8000-000000000000/01"
OTHER = f"{KEY[:-1]}2"
SECRET = "sb_secret_x"


class StubStorage:
    """The routes of Supabase Storage that are used, as its documentation has them, for one private bucket."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.buckets: set[str] = set()
        self.broken = False

    async def answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        assert request.headers["apikey"] == SECRET
        status, body = (500, b"{}") if self.broken else self._answer(request)
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def _answer(self, request: Received) -> tuple[int, bytes]:
        path = request.target.removeprefix("/storage/v1/")
        if path == "bucket":
            asked = json.loads(request.body)
            if asked["id"] in self.buckets:
                return 400, self._error(409, "Duplicate")
            assert asked["public"] is False
            self.buckets.add(asked["id"])
            return 200, b'{"name":"x"}'
        if (request.method, path) == ("DELETE", f"object/{BUCKET}"):
            for key in json.loads(request.body)["prefixes"]:
                self.kept.pop(key, None)
            return 200, b"[]"
        key = path.removeprefix(f"object/{BUCKET}/")
        if request.method == "POST":
            self.kept[key] = request.body.split(b"\r\n\r\n")[-1].rsplit(b"\r\n--", 1)[0]
            return 200, json.dumps({"Key": key, "Id": "1"}).encode()
        found = self.kept.get(key)
        return (400, self._error(404, "not_found")) if found is None else (200, found)

    @staticmethod
    def _error(status: int, error: str) -> bytes:
        return json.dumps({"statusCode": str(status), "error": error, "message": error}).encode()


@pytest.fixture
async def storage() -> AsyncIterator[tuple[Served, StubStorage]]:
    stub = StubStorage()
    async with http_server(stub.answer) as served:
        yield served, stub


@pytest.fixture(params=["directory", "supabase"])
async def blobs(
    request: pytest.FixtureRequest, tmp_path: Path, storage: tuple[Served, StubStorage]
) -> AsyncIterator[Blobs]:
    made: Blobs = (
        DirectoryBlobs(tmp_path / "files")
        if request.param == "directory"
        else SupabaseBlobs(storage[0].url(""), {"apikey": SECRET})
    )
    await made.open()
    yield made
    await made.close()


async def test_bytes_come_back_until_they_are_removed(blobs: Blobs) -> None:
    await blobs.put(KEY, bytes(range(256)) + b"no line end")
    await blobs.put(OTHER, b"")

    assert await blobs.get(KEY) == bytes(range(256)) + b"no line end"
    assert await blobs.get(OTHER) == b""
    await blobs.remove([KEY, OTHER, f"{KEY}0"])
    for key in (KEY, OTHER):
        with pytest.raises(UnknownFileError):
            await blobs.get(key)


@pytest.mark.parametrize(
    "key", ["", "/", "../x", "a/../../b", "a//b", "/etc/passwd", "a/b/c/d/e", "A", "a\n", "a" * 300]
)
async def test_what_is_no_key_reaches_nothing(blobs: Blobs, key: str) -> None:
    for call in (blobs.get(key), blobs.put(key, b""), blobs.remove([key])):
        with pytest.raises(ValueError, match="no key"):
            await call


async def test_directory_is_private_and_loses_what_is_empty(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path / "files")
    await blobs.open()
    await blobs.put(KEY, b"x")

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "files").rglob("*")}
    assert {modes.pop(tmp_path / "files" / KEY)} == {0o600}
    assert set(modes.values()) == {0o700}
    assert stat.S_IMODE((tmp_path / "files").stat().st_mode) == 0o700
    await blobs.remove([KEY])
    assert list((tmp_path / "files").iterdir()) == []


async def test_directory_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir(mode=0o755)
    (tmp_path / "files").chmod(0o755)

    with pytest.raises(StoreMisconfiguredError, match="chmod 700"):
        await DirectoryBlobs(tmp_path / "files").open()


async def test_directory_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file, where the directory should be")

    with pytest.raises(StoreUnavailableError):
        await DirectoryBlobs(tmp_path / "files").put(KEY, b"x")


async def test_writing_and_removing_at_once_loses_nothing(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path / "files")
    keys = [f"aa/bb/{number:02x}" for number in range(60)]

    async def come_and_go(key: str) -> None:
        await blobs.put(key, key.encode())
        assert await blobs.get(key) == key.encode()
        await blobs.remove([key])

    await asyncio.gather(*map(come_and_go, keys))

    assert list((tmp_path / "files").iterdir()) == []


async def test_storage_that_fails_is_unavailable(storage: tuple[Served, StubStorage]) -> None:
    served, stub = storage
    blobs = SupabaseBlobs(served.url(""), {"apikey": SECRET})
    await blobs.open()
    await blobs.close()
    await blobs.open()  # the bucket is there
    stub.broken = True

    for call in (blobs.get(KEY), blobs.put(KEY, b""), blobs.remove([KEY])):
        with pytest.raises(StoreUnavailableError):
            await call
    await blobs.close()
    with pytest.raises(StoreUnavailableError):
        await blobs.open()
    await blobs.close()
