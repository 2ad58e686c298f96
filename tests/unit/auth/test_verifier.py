"""Good tokens are taken, times are kept to the second, and a verified token is not verified again."""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import structlog
from jose.backends.base import Key

from agents_store.types import Principal
from server.auth.errors import IssuerUnavailableError, Reason, UnauthenticatedError
from server.auth.keys import NoKeys, VerificationKey, shared_secret_key
from server.auth.testing import ABSENT, SECRET, USER_ID, HeldClock, StubKeys, StubProject
from server.auth.verified_tokens import KEPT_S_MAX, VerifiedTokens
from server.auth.verifier import Verifier


@pytest.fixture
def held() -> HeldClock:
    return HeldClock()


async def reason_of(verifier: Verifier, token: str) -> Reason:
    with pytest.raises(UnauthenticatedError) as refused:
        await verifier.authenticate(f"Bearer {token}")
    return refused.value.reason


SUPABASE_EXTRAS: dict[str, Any] = {
    "email": "ada@example.com",
    "phone": "",
    "app_metadata": {"provider": "email", "providers": ["email", "google"]},
    "user_metadata": {"full_name": "Ada 😀", "nested": {"a": [1, 2.5, None, True]}},
    "aal": "aal1",
    "amr": [{"method": "password", "timestamp": 1_700_000_000}],
    "session_id": "0b0d2f0e-8b0f-4d53-8a9d-2f4c7a3e0a55",
    "is_anonymous": False,
}

GOOD: dict[str, Callable[[StubProject], str]] = {
    "ES256": lambda project: project.token("ec-key"),
    "RS256": lambda project: project.token("rsa-key"),
    "HS256 without a kid": lambda project: project.token(None),
    "HS256 with an unknown kid": lambda project: project.token(None, header={"kid": "the-secret's-own-kid"}),
    "HS256 with a kid of 256 characters": lambda project: project.token(None, header={"kid": "k" * 256}),
    "typ absent": lambda project: project.token(header={"typ": ABSENT}),
    "an unregistered header member": lambda project: project.token(header={"x": 1}),
    "header with blanks": lambda project: project.signed(
        b' { "kid" : "ec-key", "alg" : "ES256" } ', json.dumps(project.claims(), indent=2).encode()
    ),
    "header with an escaped name": lambda project: project.signed(
        b'{"\\u0061lg":"ES256","kid":"ec-key"}', json.dumps(project.claims()).encode()
    ),
    "aud a list of one": lambda project: project.token(aud=["authenticated"]),
    "iat absent": lambda project: project.token(iat=ABSENT),
    "iat a little ahead": lambda project: project.token(iat=int(time.time()) + 20),
    "nbf in the past": lambda project: project.token(nbf=1),
    "nbf a little ahead": lambda project: project.token(nbf=int(time.time()) + 20),
    "exp in a minute": lambda project: project.token(exp=int(time.time()) + 60),
    "exp as far as 64 bits go": lambda project: project.token(exp=2**63 - 1),
    "all that Supabase adds": lambda project: project.token(**SUPABASE_EXTRAS),
    "all that Supabase adds, HS256": lambda project: project.token(None, None, **SUPABASE_EXTRAS),
    "jti": lambda project: project.token(jti="1"),
    "at_hash, which means nothing here": lambda project: project.token(at_hash="AAAA"),
    "64 brackets": lambda project: project.token(deep=json.loads("[" * 63 + "]" * 63)),
    "four kilobytes of metadata": lambda project: project.token(user_metadata={"note": "n" * 4096}),
}


@pytest.mark.parametrize("kind", GOOD)
async def test_good_token_is_taken(project: StubProject, kind: str) -> None:
    verifier, keys = project.verifier()
    token = GOOD[kind](project)

    assert await verifier.authenticate(f"Bearer {token}") == Principal(user_id=USER_ID, token=token)
    assert keys.asked == 0


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer   "])
async def test_scheme_is_taken_in_any_case_and_with_any_number_of_blanks(project: StubProject, scheme: str) -> None:
    verifier, _ = project.verifier()

    assert (await verifier.authenticate(scheme + project.token())).user_id == USER_ID


async def test_every_user_is_told_from_every_other(project: StubProject) -> None:
    verifier, _ = project.verifier()
    users = [UUID(int=n) for n in range(20)]

    for user in users * 2:
        assert (await verifier.authenticate(f"Bearer {project.token(sub=str(user))}")).user_id == user


async def test_exp_is_kept_to_the_second_also_when_the_token_was_just_verified(
    project: StubProject, held: HeldClock
) -> None:
    verifier, _ = project.verifier(held.clock)
    token = project.token(exp=int(held.wall_s) + 10)

    assert (await verifier.authenticate(f"Bearer {token}")).user_id == USER_ID
    held.advance(9.9)
    assert (await verifier.authenticate(f"Bearer {token}")).user_id == USER_ID
    held.advance(0.1)
    assert await reason_of(verifier, token) is Reason.EXPIRED


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_issuer_clock_may_run_ahead_by_30_seconds_and_no_more(
    project: StubProject, held: HeldClock, claim: str
) -> None:
    verifier, _ = project.verifier(held.clock)
    now_s = int(held.wall_s)

    assert await reason_of(verifier, project.token("ec-key", None, **{claim: now_s + 31})) is Reason.NOT_YET_VALID
    taken = await verifier.authenticate(f"Bearer {project.token('ec-key', None, **{claim: now_s + 30})}")
    assert taken.user_id == USER_ID


async def test_secret_alone_takes_hs256_and_nothing_else(project: StubProject) -> None:
    verifier = Verifier(project.issuer, NoKeys(), shared_secret_key(SECRET))

    assert (await verifier.authenticate(f"Bearer {project.token(None)}")).user_id == USER_ID
    assert await reason_of(verifier, project.token("ec-key")) is Reason.UNKNOWN_KEY
    assert await reason_of(verifier, project.token("rsa-key")) is Reason.UNKNOWN_KEY


async def test_without_a_secret_hs256_is_refused(project: StubProject) -> None:
    verifier = Verifier(project.issuer, StubKeys(project.key_document()))

    assert await reason_of(verifier, project.token(None)) is Reason.ALGORITHM
    assert (await verifier.authenticate(f"Bearer {project.token()}")).user_id == USER_ID


async def test_algorithm_is_the_keys_and_not_the_tokens(project: StubProject) -> None:
    verifier, keys = project.verifier()
    misnamed = project.token("rsa-key", header={"alg": "ES256"})
    rsa_key = keys.known("rsa-key")
    assert rsa_key is not None

    assert await reason_of(verifier, misnamed) is Reason.ALGORITHM
    with pytest.raises(UnauthenticatedError):
        rsa_key.check(misnamed)
    rsa_key.check(project.token("rsa-key"))


class CountingKey(Key):
    """Counts how often it is asked for a signature check."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.checks = 0

    def verify(self, msg: bytes, sig: bytes) -> bool:
        self.checks += 1
        return self.key.verify(msg, sig)


async def test_verified_token_is_verified_again_after_a_minute(project: StubProject, held: HeldClock) -> None:
    counting = CountingKey(shared_secret_key(SECRET).key)
    verifier = Verifier(project.issuer, NoKeys(), VerificationKey("HS256", counting), held.clock)
    header = f"Bearer {project.token(None)}"

    for seconds, checks in ((0, 1), (0, 1), (KEPT_S_MAX - 0.1, 1), (0.1, 2), (0, 2)):
        held.advance(seconds)
        await verifier.authenticate(header)
        assert counting.checks == checks


async def test_refused_token_is_checked_every_time(project: StubProject, held: HeldClock) -> None:
    counting = CountingKey(shared_secret_key(SECRET[::-1]).key)
    verifier = Verifier(project.issuer, NoKeys(), VerificationKey("HS256", counting), held.clock)
    token = project.token(None)

    for checks in (1, 2, 3):
        assert await reason_of(verifier, token) is Reason.SIGNATURE
        assert counting.checks == checks


async def test_closing_forgets_verified_tokens(project: StubProject, held: HeldClock) -> None:
    counting = CountingKey(shared_secret_key(SECRET).key)
    verifier = Verifier(project.issuer, NoKeys(), VerificationKey("HS256", counting), held.clock)
    header = f"Bearer {project.token(None)}"

    await verifier.authenticate(header)
    await verifier.close()
    await verifier.authenticate(header)

    assert counting.checks == 2


def test_least_recently_used_token_makes_room(held: HeldClock) -> None:
    kept = VerifiedTokens(held.clock, tokens_max=2)
    principal = Principal(user_id=USER_ID)
    far = int(held.wall_s) + 3600

    kept.put("a", principal, far)
    kept.put("b", principal, far)
    assert kept.get("a") is principal
    kept.put("c", principal, far)

    assert len(kept) == 2
    assert kept.get("b") is None
    assert kept.get("a") is kept.get("c") is principal


def test_kept_token_does_not_outlive_its_time_when_the_wall_clock_is_set_back(held: HeldClock) -> None:
    kept = VerifiedTokens(held.clock)
    kept.put("a", Principal(user_id=USER_ID), int(held.wall_s) + 3600)

    held.monotonic_s += KEPT_S_MAX
    held.wall_s -= 3600

    assert kept.get("a") is None
    assert len(kept) == 0


class BrokenKey(Key):
    """Fails as a library would: with an exception that nobody announced, and that quotes the token."""

    def __init__(self) -> None:
        pass

    def verify(self, msg: bytes, sig: bytes) -> bool:
        raise RecursionError(msg)


class BrokenKeys(NoKeys):
    """Fails outside every promise of its protocol, quoting what it was asked."""

    async def find(self, kid: str) -> VerificationKey | None:
        raise RuntimeError(kid)


async def test_failure_inside_a_library_is_a_refusal_that_quotes_nothing(project: StubProject) -> None:
    verifiers = (
        Verifier(project.issuer, NoKeys(), VerificationKey("HS256", BrokenKey())),
        Verifier(project.issuer, BrokenKeys()),
    )
    with structlog.testing.capture_logs() as lines:
        for verifier, kid in zip(verifiers, (None, "ec-key"), strict=True):
            token = project.token(kid)
            with pytest.raises(UnauthenticatedError) as refused:
                await verifier.authenticate(f"Bearer {token}")
            assert refused.value.__context__ is None
            assert refused.value.__cause__ is None

    assert [line for line in lines if kid_or_token_in(str(line), project)] == []


def kid_or_token_in(text: str, project: StubProject) -> bool:
    return "eyJ" in text or any(kid in text for kid in project.signing_keys if kid is not None)


class AbsentKeys(NoKeys):
    """An issuer that never answered."""

    async def find(self, kid: str) -> VerificationKey | None:
        raise IssuerUnavailableError(retry_after_s=7)


async def test_unavailable_issuer_is_not_the_callers_fault(project: StubProject) -> None:
    verifier = Verifier(project.issuer, AbsentKeys(), shared_secret_key(SECRET))

    with pytest.raises(IssuerUnavailableError) as unavailable:
        await verifier.authenticate(f"Bearer {project.token()}")

    assert unavailable.value.retry_after_s == 7
    assert await reason_of(verifier, project.token(role="anon")) is Reason.ROLE
    assert (await verifier.authenticate(f"Bearer {project.token(None)}")).user_id == USER_ID


async def test_no_log_line_and_no_repr_holds_a_token(project: StubProject) -> None:
    verifier, _ = project.verifier()
    token = project.token()

    with structlog.testing.capture_logs() as lines:
        await verifier.authenticate(f"Bearer {token}")
        await reason_of(verifier, token[:-4] + "AAAA")

    assert lines == []
    assert "eyJ" not in repr(vars(verifier))
