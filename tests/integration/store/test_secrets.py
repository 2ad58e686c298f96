"""Secrets of agents: stored sealed, told without what is sealed, gone with their agent, sealed anew by the owner."""

from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from agents_store.errors import StoreMisconfiguredError, TooManySecretsError, UnknownAgentError, UnknownSecretError
from agents_store.postgres.admin import reseal_secrets, secrets_to_reseal
from agents_store.postgres.store import PostgresStore
from agents_store.types import SECRETS_MAX, Principal, SealedSecret
from tests.integration.store.conftest import Author
from tests.support.database import Database

STRANGER = Principal(uuid4())
SEALED = SealedSecret("TOKEN", ["api.example.com"], "0" * 16, b"n" * 12, b"c" * 40)


async def test_secret_is_found_as_it_was_put(store: PostgresStore, author: Author) -> None:
    told = await store.put_secret(author.principal, author.detail.agent.id, SEALED)

    found = await store.find_secret(author.principal, author.detail.agent.id, "TOKEN")
    assert replace(found, hosts=list(found.hosts)) == SEALED
    assert await store.list_secrets(author.principal, author.detail.agent.id) == [told]
    assert not hasattr(told, "ciphertext")


async def test_secret_is_replaced_whole(store: PostgresStore, author: Author) -> None:
    agent_id = author.detail.agent.id
    first = await store.put_secret(author.principal, agent_id, SEALED)
    second = await store.put_secret(author.principal, agent_id, replace(SEALED, hosts=["b.example"], nonce=b"m" * 12))

    found = await store.find_secret(author.principal, agent_id, "TOKEN")
    assert (list(found.hosts), found.nonce) == (["b.example"], b"m" * 12)
    assert second.created_at == first.created_at
    assert second.updated_at > first.updated_at


async def test_secret_is_its_owners(store: PostgresStore, author: Author) -> None:
    agent_id = author.detail.agent.id
    await store.put_secret(author.principal, agent_id, SEALED)

    with pytest.raises(UnknownSecretError):
        await store.find_secret(STRANGER, agent_id, "TOKEN")
    with pytest.raises(UnknownSecretError):
        await store.delete_secret(STRANGER, agent_id, "TOKEN")
    with pytest.raises(UnknownAgentError):
        await store.put_secret(STRANGER, agent_id, SEALED)
    assert await store.list_secrets(STRANGER, agent_id) == []
    await store.delete_secret(author.principal, agent_id, "TOKEN")
    with pytest.raises(UnknownSecretError):
        await store.delete_secret(author.principal, agent_id, "TOKEN")


async def test_secrets_of_one_agent_are_bounded(store: PostgresStore, author: Author) -> None:
    agent_id = author.detail.agent.id
    for number in range(SECRETS_MAX):
        await store.put_secret(author.principal, agent_id, replace(SEALED, name=f"S{number}"))

    with pytest.raises(TooManySecretsError):
        await store.put_secret(author.principal, agent_id, replace(SEALED, name="MORE"))
    await store.put_secret(author.principal, agent_id, replace(SEALED, name="S1"))


async def test_deleting_an_agent_removes_its_secrets_at_once(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    await store.put_secret(author.principal, author.detail.agent.id, SEALED)

    await store.delete_agent(author.principal, "hello")

    assert superuser.execute("select count(*) from public.agent_secrets").fetchone() == (0,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "1X"},
        {"name": "X" * 65},
        {"name": "a b"},
        {"hosts": []},
        {"hosts": ["h"] * 17},
        {"key_id": "x"},
        {"nonce": b""},
        {"ciphertext": b"short"},
        {"ciphertext": b"c" * 8_209},
    ],
)
async def test_what_is_out_of_bounds_is_refused(store: PostgresStore, author: Author, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="agent_secrets_"):
        await store.put_secret(author.principal, author.detail.agent.id, replace(SEALED, **wrong))  # type: ignore[arg-type]


async def test_owner_seals_anew_what_did_not_change_meanwhile(
    store: PostgresStore, author: Author, database: Database
) -> None:
    agent_id = author.detail.agent.id
    for name in ("A", "B"):
        await store.put_secret(author.principal, agent_id, replace(SEALED, name=name))
    found = await secrets_to_reseal(database.owner_url, "1" * 16, None, 1)
    rest = await secrets_to_reseal(database.owner_url, "1" * 16, found[0], 10)
    assert [placed.secret.name for placed in (*found, *rest)] == ["A", "B"]
    changed = replace(SEALED, name="B", nonce=b"z" * 12)
    await store.put_secret(author.principal, agent_id, changed)

    done = await reseal_secrets(
        database.owner_url,
        [(placed, replace(placed.secret, key_id="1" * 16, nonce=b"x" * 12)) for placed in (*found, *rest)],
    )

    assert done == 1
    assert (await store.find_secret(author.principal, agent_id, "A")).key_id == "1" * 16
    assert (await store.find_secret(author.principal, agent_id, "B")).nonce == b"z" * 12
    assert [placed.secret.name for placed in await secrets_to_reseal(database.owner_url, "1" * 16, None, 10)] == ["B"]


async def test_server_may_not_read_all_secrets(store: PostgresStore, author: Author, database: Database) -> None:
    await store.put_secret(author.principal, author.detail.agent.id, SEALED)

    with pytest.raises(StoreMisconfiguredError):
        await secrets_to_reseal(database.login_url, "1" * 16, None, 10)
    (placed,) = await secrets_to_reseal(database.owner_url, "1" * 16, None, 10)
    with pytest.raises(StoreMisconfiguredError):
        await reseal_secrets(database.login_url, [(placed, SEALED)])
