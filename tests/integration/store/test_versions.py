"""Versions in the database: immutable, numbered, changed under an optimistic lock, rolled back to."""

import asyncio
import hashlib
from uuid import uuid4

import pytest

from agents_store.errors import RevisionMovedError, UnknownAgentError, UnknownVersionError, VersionMovedError
from agents_store.postgres.store import PostgresStore
from agents_store.types import AgentDetail, BegunRun, Principal
from tests.integration.store.conftest import Author
from tests.support.database import Database
from tests.support.records import new_version, run_start

SECOND = new_version(code="def run():\n    return 2\n", tier="restricted", inputs_schema=None, examples=[], reasons={})


async def edit(store: PostgresStore, author: Author, seen: AgentDetail, code: str) -> AgentDetail:
    return await store.edit_agent(author.principal, seen.agent, description=None, version=new_version(code=code))


async def test_edited_agent_has_a_new_version_and_keeps_the_old_one(store: PostgresStore, author: Author) -> None:
    edited = await store.edit_agent(author.principal, author.detail.agent, description="new", version=SECOND)

    assert (edited.agent.version, edited.agent.revision, edited.agent.description) == (2, 2, "new")
    assert edited.version == SECOND
    assert await store.get_agent(author.principal, "hello") == edited
    first = await store.get_version(author.principal, "hello", 1)
    assert (first.version, first.summary.current) == (author.detail.version, False)
    assert first.summary.code_sha256 == hashlib.sha256(author.detail.version.code.encode()).hexdigest()


async def test_description_alone_makes_a_revision_and_no_version(store: PostgresStore, author: Author) -> None:
    edited = await store.edit_agent(author.principal, author.detail.agent, description="new", version=None)

    assert (edited.agent.version, edited.agent.revision, edited.agent.description) == (1, 2, "new")
    assert edited.agent.updated_at > author.detail.agent.updated_at
    assert len((await store.list_versions(author.principal, "hello", limit=10, cursor=None)).items) == 1


async def test_of_edits_at_once_exactly_one_is_stored(store: PostgresStore, author: Author) -> None:
    edits = [edit(store, author, author.detail, f"def run():\n    return {number}\n") for number in range(8)]
    ends = await asyncio.gather(*edits, return_exceptions=True)

    (won,) = [end for end in ends if isinstance(end, AgentDetail)]
    assert sum(isinstance(end, RevisionMovedError) for end in ends) == 7
    assert await store.get_agent(author.principal, "hello") == won
    versions = await store.list_versions(author.principal, "hello", limit=10, cursor=None)
    assert [(version.version, version.current) for version in versions.items] == [(2, True), (1, False)]


async def test_edit_of_an_agent_that_was_made_anew_meanwhile_changes_nothing(
    store: PostgresStore, author: Author
) -> None:
    await store.delete_agent(author.principal, "hello")
    with pytest.raises(UnknownAgentError):
        await edit(store, author, author.detail, "lost")
    anew = await store.create_agent(author.principal, "hello", "", new_version())

    with pytest.raises(RevisionMovedError):
        await edit(store, author, author.detail, "lost")
    assert await store.get_agent(author.principal, "hello") == anew


async def test_version_after_a_rollback_gets_a_number_of_its_own(store: PostgresStore, author: Author) -> None:
    second = await edit(store, author, author.detail, "2")
    back = await store.activate_version(author.principal, "hello", 1, revision=second.agent.revision)
    third = await edit(store, author, back, "3")

    assert (back.agent.version, back.agent.revision, back.version) == (1, 3, author.detail.version)
    assert (third.agent.version, third.agent.revision) == (3, 4)


async def test_activate_wants_the_revision_that_the_caller_saw(store: PostgresStore, author: Author) -> None:
    await edit(store, author, author.detail, "2")

    with pytest.raises(RevisionMovedError):
        await store.activate_version(author.principal, "hello", 1, revision=1)
    assert (await store.get_agent(author.principal, "hello")).agent.version == 2
    assert (await store.activate_version(author.principal, "hello", 1, revision=None)).agent.version == 1


@pytest.mark.parametrize("version", [0, -1, 3, 2**31 - 1, 2**31, 2**63])
async def test_version_that_is_not_there_is_unknown(store: PostgresStore, author: Author, version: int) -> None:
    with pytest.raises(UnknownVersionError):
        await store.activate_version(author.principal, "hello", version, revision=None)
    with pytest.raises(UnknownVersionError):
        await store.get_version(author.principal, "hello", version)
    assert (await store.get_agent(author.principal, "hello")).agent.revision == 1


async def test_another_users_agent_looks_unknown(store: PostgresStore, author: Author) -> None:
    stranger = Principal(uuid4())

    for attempt in (
        store.edit_agent(stranger, author.detail.agent, description="stolen", version=SECOND),
        store.activate_version(stranger, "hello", 1, revision=None),
        store.list_versions(stranger, "hello", limit=10, cursor=None),
        store.get_version(stranger, "hello", 1),
    ):
        with pytest.raises(UnknownAgentError):
            await attempt
    assert await store.get_agent(author.principal, "hello") == author.detail


async def test_versions_are_listed_newest_first_page_by_page(store: PostgresStore, author: Author) -> None:
    seen = author.detail
    for number in range(2, 6):
        seen = await edit(store, author, seen, str(number))

    first = await store.list_versions(author.principal, "hello", limit=3, cursor=None)
    second = await store.list_versions(author.principal, "hello", limit=3, cursor=first.next_cursor)
    assert [version.version for version in (*first.items, *second.items)] == [5, 4, 3, 2, 1]
    assert second.next_cursor is None
    with pytest.raises(ValueError, match="cursor"):
        await store.list_versions(author.principal, "hello", limit=3, cursor="nonsense")


async def test_begin_of_a_version_that_is_not_current_is_refused(store: PostgresStore, author: Author) -> None:
    await edit(store, author, author.detail, "2")

    with pytest.raises(VersionMovedError):
        await store.begin(author.principal, run_start(author.detail))


async def test_run_has_exactly_the_version_that_it_was_begun_for(
    store: PostgresStore, author: Author, database: Database
) -> None:
    """Begins race with activations: each ends in a run of the version that it names, or in none."""
    second = await edit(store, author, author.detail, "2")

    async def activate() -> None:
        for number in range(20):
            await store.activate_version(author.principal, "hello", 1 + number % 2, revision=None)

    async def begin(detail: AgentDetail) -> list[tuple[int, BegunRun]]:
        begun = []
        for _ in range(20):
            try:
                begun.append((detail.agent.version, await store.begin(author.principal, run_start(detail, test=True))))
            except VersionMovedError:
                continue
        return begun

    _, ones, twos = await asyncio.gather(activate(), begin(author.detail), begin(second))
    assert ones or twos
    for version, run in (*ones, *twos):
        assert (await store.get_run(author.principal, run.run_id)).version == version
