"""Files of runs: rows that name stored bytes, and bytes that no row names any more."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from agents_store.errors import TooManyFilesError, UnknownFileError, UnknownRunError
from agents_store.postgres.store import PostgresStore
from agents_store.types import RUN_FILES_MAX, NewFile, Principal
from tests.integration.store.conftest import Author
from tests.support.records import run_start, succeeded

STRANGER = Principal(uuid4())


def new_file(author: Author, name: str = "a.txt", key: str = "1") -> NewFile:
    return NewFile(name, "text/plain", 3, "0" * 64, f"{author.principal.user_id}/{key}")


async def finished_run(store: PostgresStore, author: Author) -> UUID:
    run = await store.begin(author.principal, run_start(author.detail))
    await store.finish(author.principal, run, succeeded())
    return run.run_id


async def added(store: PostgresStore, author: Author, run_id: UUID, file: NewFile) -> None:
    await store.reserve_file(file.storage_key)
    await store.add_file(author.principal, run_id, file)


async def due_now(store: PostgresStore, superuser: psycopg.Connection) -> list[str]:
    """What would be removed an hour later."""
    superuser.execute("update public.unneeded_files set due_at = due_at - interval '1 hour'")
    return await store.unneeded_files(100)


async def test_file_is_listed_with_its_run(store: PostgresStore, author: Author) -> None:
    run_id = await finished_run(store, author)
    await added(store, author, run_id, new_file(author, "b.txt", "2"))
    await added(store, author, run_id, new_file(author))

    files = await store.list_files(author.principal, run_id)

    assert [file.name for file in files] == ["a.txt", "b.txt"]
    assert await store.get_file(author.principal, run_id, "a.txt") == files[0]
    with pytest.raises(UnknownFileError):
        await store.get_file(author.principal, run_id, "c.txt")


async def test_files_are_their_owners(store: PostgresStore, author: Author) -> None:
    run_id = await finished_run(store, author)
    await added(store, author, run_id, new_file(author))

    for call in (store.list_files(STRANGER, run_id), store.get_file(STRANGER, run_id, "a.txt")):
        with pytest.raises(UnknownRunError):
            await call
    theirs = replace(new_file(author), storage_key=f"{STRANGER.user_id}/1")
    await store.reserve_file(theirs.storage_key)
    with pytest.raises(UnknownRunError):
        await store.add_file(STRANGER, run_id, theirs)


async def test_bytes_that_no_file_came_to_name_are_to_be_removed(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    file = new_file(author)
    await store.reserve_file(file.storage_key)
    assert await store.unneeded_files(100) == []

    assert await due_now(store, superuser) == [file.storage_key]
    await store.forget_files([file.storage_key])
    assert await due_now(store, superuser) == []
    with pytest.raises(ValueError, match="run_files_announced"):
        await store.add_file(author.principal, await finished_run(store, author), file)


async def test_file_of_the_same_name_takes_the_place_of_the_first(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    run_id = await finished_run(store, author)
    await added(store, author, run_id, new_file(author, key="1"))
    await added(store, author, run_id, new_file(author, key="2"))

    (file,) = await store.list_files(author.principal, run_id)
    assert file.storage_key.endswith("/2")
    assert await store.unneeded_files(100) == [new_file(author, key="1").storage_key]


async def test_files_of_one_run_are_bounded(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    run_id = await finished_run(store, author)
    for number in range(RUN_FILES_MAX):
        await added(store, author, run_id, new_file(author, f"{number}", f"{number}"))

    with pytest.raises(TooManyFilesError):
        await added(store, author, run_id, new_file(author, "more", "more"))
    await added(store, author, run_id, new_file(author, "1", "again"))
    assert len(await store.list_files(author.principal, run_id)) == RUN_FILES_MAX
    assert new_file(author, key="more").storage_key in await due_now(store, superuser)


@pytest.mark.parametrize("way", ["purged", "erased"])
async def test_bytes_go_when_their_run_goes(store: PostgresStore, author: Author, way: str) -> None:
    run_id = await finished_run(store, author)
    await added(store, author, run_id, new_file(author))

    if way == "purged":
        await store.purge(timedelta(0))
    else:
        await store.erase_account(author.principal)

    assert await store.unneeded_files(100) == [new_file(author).storage_key]


@pytest.mark.parametrize(
    "wrong", [{"name": "../x"}, {"name": ".x"}, {"name": ""}, {"sha256": "x"}, {"storage_key": "elsewhere/1"}]
)
async def test_what_is_no_file_is_refused(store: PostgresStore, author: Author, wrong: dict[str, str]) -> None:
    file = replace(new_file(author), **wrong)  # type: ignore[arg-type] # the tests name fields
    await store.reserve_file(file.storage_key)

    with pytest.raises(ValueError, match="run_files_"):
        await store.add_file(author.principal, await finished_run(store, author), file)
