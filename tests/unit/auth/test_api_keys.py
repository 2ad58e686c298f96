"""API keys without a database: their form, how long they are remembered, and what made-up ones cost."""

import asyncio
import hashlib
import math
import re
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from agents_store.errors import StoreUnavailableError
from agents_store.types import ApiKeyOwner, Principal
from server.auth.api_key import RANDOM_CHARS, hash_key, mint_key
from server.auth.api_keys import FOUND_MAX, KEPT_S_MAX, LOOKUPS_AT_ONCE_MAX, UNKNOWN_MAX, ApiKeys
from server.auth.callers import Callers, require_token
from server.auth.errors import TokenRequiredError, UnauthenticatedError
from server.auth.testing import USER_ID, HeldClock, StubProject


class Keys:
    """A store of keys that counts what it is asked, and answers when it may."""

    def __init__(self) -> None:
        self.owners: dict[bytes, ApiKeyOwner] = {}
        self.asked = 0
        self.at_once = 0
        self.at_once_most = 0
        self.touched: list[UUID] = []
        self.down = False
        self.open = asyncio.Event()
        self.open.set()
        self.reached = asyncio.Event()
        self.noted = asyncio.Event()

    def add(self, expires_in_s: float | None = None) -> tuple[str, ApiKeyOwner]:
        minted = mint_key()
        owner = ApiKeyOwner(uuid4(), uuid4(), expires_in_s)
        self.owners[minted.key_hash] = owner
        return minted.text, owner

    async def find_api_key(self, key_hash: bytes) -> ApiKeyOwner | None:
        self.asked += 1
        self.at_once += 1
        self.at_once_most = max(self.at_once, self.at_once_most)
        self.reached.set()
        await self.open.wait()
        self.at_once -= 1
        if self.down:
            raise StoreUnavailableError
        return self.owners.get(key_hash)

    async def touch_api_keys(self, api_key_ids: Sequence[UUID]) -> None:
        if self.down:
            raise StoreUnavailableError
        self.touched.extend(api_key_ids)
        self.noted.set()


@pytest.fixture
def store() -> Keys:
    return Keys()


@pytest.fixture
def held() -> HeldClock:
    return HeldClock()


@pytest.fixture
def api_keys(store: Keys, held: HeldClock) -> ApiKeys:
    return ApiKeys(store, held.clock)


def test_key_has_its_form_and_more_than_128_random_bits() -> None:
    minted = [mint_key() for _ in range(200)]

    assert math.log2(62) * RANDOM_CHARS > 128
    for key in minted:
        assert re.fullmatch(r"gbx_[0-9A-Za-z]{24}_[0-9A-Za-z]{6}", key.text)
        assert key.text[4:12] == key.prefix
        assert key.text[:28].endswith(key.last4)
        assert key.key_hash == hash_key(key.text) == hashlib.sha256(key.text.encode()).digest()
        assert key.text not in repr(key)
    assert len({key.text for key in minted}) == len(minted)


GARBAGE = [
    "gbx_",
    "gbx__",
    "gbx_" + "a" * 24,
    "gbx_" + "a" * 24 + "_" + "0" * 6,
    "gbx_" + "a" * 8_000,
    "gbx_" + "\u00e9" * 24 + "_aaaaaa",
    "gbx_" + "a" * 24 + "_aaaaa\n",
    "gbx_' or true --",
    "GBX_" + "a" * 24 + "_aaaaaa",
    "gbx_" + "%61" * 8 + "_aaaaaa",
]


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_is_refused_without_a_question(api_keys: ApiKeys, store: Keys, garbage: str) -> None:
    with pytest.raises(UnauthenticatedError):
        await api_keys.authenticate(garbage)

    assert store.asked == 0


async def test_every_single_wrong_character_is_refused_without_a_question(api_keys: ApiKeys, store: Keys) -> None:
    key, _ = store.add()

    for place in range(4, len(key)):
        with pytest.raises(UnauthenticatedError):
            await api_keys.authenticate(key[:place] + ("a" if key[place] != "a" else "b") + key[place + 1 :])

    assert store.asked == 0


async def test_key_stands_for_its_owner_and_is_asked_for_once(api_keys: ApiKeys, store: Keys) -> None:
    key, owner = store.add()

    principals = {await api_keys.authenticate(key) for _ in range(50)}

    assert principals == {Principal(owner.user_id, api_key_id=owner.api_key_id)}
    assert store.asked == 1


async def test_revoked_key_is_remembered_for_no_more_than_five_seconds(
    api_keys: ApiKeys, store: Keys, held: HeldClock
) -> None:
    key, _ = store.add()
    await api_keys.authenticate(key)
    store.owners.clear()
    assert KEPT_S_MAX < 5

    held.advance(KEPT_S_MAX)

    with pytest.raises(UnauthenticatedError):
        await api_keys.authenticate(key)


async def test_slow_answer_is_as_old_as_its_question(api_keys: ApiKeys, store: Keys, held: HeldClock) -> None:
    key, _ = store.add()
    store.open.clear()
    asking = asyncio.create_task(api_keys.authenticate(key))
    await store.reached.wait()
    held.advance(KEPT_S_MAX - 1)
    store.open.set()
    await asking
    store.owners.clear()

    held.advance(1)

    with pytest.raises(UnauthenticatedError):
        await api_keys.authenticate(key)


async def test_expired_key_is_not_remembered_beyond_its_end(api_keys: ApiKeys, store: Keys, held: HeldClock) -> None:
    key, _ = store.add(expires_in_s=1.5)
    await api_keys.authenticate(key)
    store.owners.clear()

    held.advance(1.4)
    await api_keys.authenticate(key)
    held.advance(0.1)

    with pytest.raises(UnauthenticatedError):
        await api_keys.authenticate(key)


async def test_key_revoked_here_is_refused_at_once(api_keys: ApiKeys, store: Keys) -> None:
    key, owner = store.add()
    other, _ = store.add()
    for each in (key, other):
        await api_keys.authenticate(each)
    store.owners.clear()

    api_keys.forget(owner.api_key_id)

    with pytest.raises(UnauthenticatedError):
        await api_keys.authenticate(key)
    await api_keys.authenticate(other)


async def test_what_was_asked_before_a_revocation_is_not_remembered_after_it(api_keys: ApiKeys, store: Keys) -> None:
    key, owner = store.add()
    store.open.clear()
    asking = asyncio.create_task(api_keys.authenticate(key))
    await store.reached.wait()
    api_keys.forget(owner.api_key_id)
    store.open.set()
    await asking
    store.owners.clear()

    with pytest.raises(UnauthenticatedError):
        await api_keys.authenticate(key)


async def test_unknown_key_is_remembered_too(api_keys: ApiKeys, store: Keys) -> None:
    unknown = mint_key().text

    for _ in range(20):
        with pytest.raises(UnauthenticatedError):
            await api_keys.authenticate(unknown)

    assert store.asked == 1


async def test_many_calls_with_one_key_ask_once(api_keys: ApiKeys, store: Keys) -> None:
    key, _ = store.add()

    await asyncio.gather(*(api_keys.authenticate(key) for _ in range(100)))

    assert store.asked == 1


async def test_caller_who_leaves_does_not_end_the_others_question(api_keys: ApiKeys, store: Keys) -> None:
    key, _ = store.add()
    store.open.clear()
    tasks = [asyncio.create_task(api_keys.authenticate(key)) for _ in range(3)]
    await store.reached.wait()

    tasks[0].cancel()
    store.open.set()

    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(ends[0], asyncio.CancelledError)
    assert isinstance(ends[1], Principal)


async def test_made_up_keys_take_few_connections_and_drive_out_no_real_one(api_keys: ApiKeys, store: Keys) -> None:
    key, _ = store.add()
    await api_keys.authenticate(key)

    refused = await asyncio.gather(
        *(api_keys.authenticate(mint_key().text) for _ in range(UNKNOWN_MAX + 100)), return_exceptions=True
    )

    assert all(isinstance(end, UnauthenticatedError) for end in refused)
    assert store.at_once_most <= LOOKUPS_AT_ONCE_MAX
    assert len(api_keys._unknown) == UNKNOWN_MAX
    asked = store.asked
    await api_keys.authenticate(key)
    assert store.asked == asked


async def test_remembered_keys_are_bounded(api_keys: ApiKeys, store: Keys) -> None:
    for _ in range(FOUND_MAX + 10):
        await api_keys.authenticate(store.add()[0])

    assert len(api_keys._found) == FOUND_MAX
    await api_keys.close()


async def test_question_without_an_answer_says_so_in_time(
    api_keys: ApiKeys, store: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.auth.api_keys.LOOKUP_WAIT_S_MAX", 0.01)
    key, _ = store.add()
    store.open.clear()

    with pytest.raises(StoreUnavailableError):
        await api_keys.authenticate(key)

    store.open.set()
    await api_keys.authenticate(key)


async def test_absent_database_is_no_refusal_and_is_not_remembered(api_keys: ApiKeys, store: Keys) -> None:
    key, _ = store.add()
    store.down = True
    with pytest.raises(StoreUnavailableError):
        await api_keys.authenticate(key)

    store.down = False

    await api_keys.authenticate(key)


async def test_use_is_noted_once_a_minute_and_never_waited_for(
    api_keys: ApiKeys, store: Keys, held: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.auth.api_keys.TOUCH_PAUSE_S", 0.01)
    key, owner = store.add()

    for _ in range(20):
        await api_keys.authenticate(key)
        held.advance(2)
    assert store.touched == []
    await store.noted.wait()
    assert store.touched == [owner.api_key_id]

    held.advance(30)
    await api_keys.authenticate(key)
    await api_keys.close()
    assert store.touched == [owner.api_key_id] * 2


async def test_use_that_cannot_be_noted_refuses_nobody(api_keys: ApiKeys, store: Keys) -> None:
    key, _ = store.add()
    await api_keys.authenticate(key)
    store.down = True

    await api_keys.close()
    await api_keys.close()

    assert store.touched == []


async def test_callers_come_by_token_or_by_key_and_only_a_token_does_everything(
    api_keys: ApiKeys, store: Keys, project: StubProject
) -> None:
    verifier, _ = project.verifier()
    callers = Callers(verifier, api_keys)
    key, owner = store.add()

    by_key = await callers.authenticate(f"Bearer {key}")
    by_token = await callers.authenticate(f"bearer   {project.token(note='gbx_' + 'a' * 24)}")

    assert (by_key.user_id, by_key.token) == (owner.user_id, None)
    assert by_token.user_id == USER_ID
    assert require_token(by_token) is by_token
    with pytest.raises(TokenRequiredError):
        require_token(by_key)


@pytest.mark.parametrize(
    "form", ["{}", "Basic {}", "Bearer {} {}", "Bearer {},{}", "Bearer {} ", "Bearer\t{}", 'Bearer "{}"', "Bearer x{}"]
)
async def test_key_in_any_other_form_proves_nothing(
    api_keys: ApiKeys, store: Keys, project: StubProject, form: str
) -> None:
    verifier, _ = project.verifier()
    key, _ = store.add()

    with pytest.raises(UnauthenticatedError) as refused:
        await Callers(verifier, api_keys).authenticate(form.format(key, key))

    assert key not in repr(refused.value)
    assert store.asked == 0
