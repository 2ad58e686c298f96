"""Published keys over real sockets: a broken issuer stops no good token, and is asked at a bounded rate."""

import asyncio
import gc
import gzip
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from pydantic import AnyHttpUrl

from server.auth.errors import IssuerUnavailableError, Reason, UnauthenticatedError
from server.auth.factory import build_verifier
from server.auth.keys import shared_secret_key
from server.auth.remote_keys import COOL_DOWN_S, DOCUMENT_BYTES_MAX, FETCH_S_MAX, FRESH_S, STALE_S, RemoteKeys
from server.auth.testing import SECRET, USER_ID, HeldClock, StubProject, encoded
from server.auth.verifier import Verifier
from server.settings import Settings

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
REQUEST = "GET /auth/v1/.well-known/jwks.json HTTP/1.1"


def raw(*pieces: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return answer


def status(code: int, body: bytes = b"{}", headers: str = "") -> Answer:
    return raw(f"HTTP/1.1 {code} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode(), body)


def document(value: Any) -> Answer:
    return status(200, json.dumps(value).encode())


def once(released: asyncio.Event, answer: Answer) -> Answer:
    async def wait_and_answer(writer: asyncio.StreamWriter) -> None:
        await released.wait()
        await answer(writer)

    return wait_and_answer


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drip(writer: asyncio.StreamWriter) -> None:
    """One byte at a time, each well within the time that one step may take."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"400\r\n" + b" " * 1024 + b"\r\n")
        await writer.drain()


class KeyServer:
    """Answers every request with `answer` and hangs up.

    Attributes:
        requests: the first line of each request so far.
        answer: writes the response.
        asked: set at each request.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.answer: Answer = status(500)
        self.asked = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; after a stop, on the same port again."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and hang up on everybody."""
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            self.requests.append(head.split(b"\r\n")[0].decode())
            self.asked.set()
            await self.answer(writer)
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(task)
            writer.close()


@dataclass
class Scene:
    """One verifier whose keys come from one key server, and the project whose tokens it verifies."""

    project: StubProject
    server: KeyServer
    held: HeldClock
    verifier: Verifier
    serial: "itertools.count[int]" = field(default_factory=itertools.count)

    def token(self, kid: str | None = "ec-key", /, **header: Any) -> str:
        """A good token that the verifier has not seen."""
        now_s = int(self.held.wall_s)
        return self.project.token(kid, header, iat=now_s, exp=now_s + 36_000, jti=str(next(self.serial)))

    async def takes(self, token: str) -> bool:
        return (await self.verifier.authenticate(f"Bearer {token}")).user_id == USER_ID

    async def refusal(self, token: str) -> Reason:
        with pytest.raises(UnauthenticatedError) as refused:
            await self.verifier.authenticate(f"Bearer {token}")
        return refused.value.reason

    async def ask_for_unknown_key(self) -> None:
        """Make the verifier fetch, where it may, and wait for the end of it."""
        assert await self.refusal(self.token(kid="other" + str(next(self.serial)))) is Reason.UNKNOWN_KEY

    async def unavailable(self) -> int:
        with pytest.raises(IssuerUnavailableError) as unavailable:
            await self.verifier.authenticate(f"Bearer {self.token()}")
        return unavailable.value.retry_after_s


@asynccontextmanager
async def opened(project: StubProject, held: HeldClock) -> AsyncIterator[Scene]:
    server = KeyServer()
    await server.start()
    server.answer = document(project.key_document())
    keys = RemoteKeys(f"http://127.0.0.1:{server.port}/auth/v1/.well-known/jwks.json", held.clock)
    verifier = Verifier(project.issuer, keys, shared_secret_key(SECRET), held.clock)
    await verifier.open()
    try:
        yield Scene(project, server, held, verifier)
    finally:
        await verifier.close()
        await server.stop()


@pytest.fixture
async def scene(project: StubProject, held: HeldClock) -> AsyncIterator[Scene]:
    async with opened(project, held) as made:
        yield made


@asynccontextmanager
async def loop_kept_free(cpu_s_max: float = 0.05) -> AsyncIterator[None]:
    """Fail if the event loop's thread computes for longer than this between two turns of a waiting task.

    Its own CPU time is counted, because on a busy machine the time on the wall says nothing about it.
    """
    longest_s = 0.0

    async def beat() -> None:
        nonlocal longest_s
        while True:
            before_s = time.thread_time()
            await asyncio.sleep(0.001)
            longest_s = max(longest_s, time.thread_time() - before_s)

    # What the test session itself keeps in memory is not the verifier's to collect.
    gc.collect()
    gc.freeze()
    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        gc.unfreeze()
        task.cancel()
        await asyncio.wait({task})
    assert longest_s < cpu_s_max


async def test_keys_are_fetched_when_first_needed_and_then_once(scene: Scene) -> None:
    assert await scene.takes(scene.token(None))
    assert scene.server.requests == []

    for kid in ("ec-key", "rsa-key", "ec-key"):
        assert await scene.takes(scene.token(kid))
    assert scene.server.requests == [REQUEST]


async def test_first_callers_at_once_share_one_fetch(scene: Scene) -> None:
    tokens = [scene.token() for _ in range(100)]
    async with loop_kept_free():
        taken = await asyncio.gather(*map(scene.takes, tokens))

    assert all(taken)
    assert scene.server.requests == [REQUEST]


async def test_settings_lead_to_the_projects_own_address(project: StubProject, held: HeldClock) -> None:
    server = KeyServer()
    await server.start()
    own = StubProject(issuer=f"http://127.0.0.1:{server.port}/auth/v1")
    server.answer = document(own.key_document())
    settings = Settings(
        supabase_url=AnyHttpUrl(f"http://127.0.0.1:{server.port}"), supabase_jwt_secret=None, jwt_issuer=None
    )
    verifier = build_verifier(settings, held.clock)
    await verifier.open()
    scene = Scene(own, server, held, verifier)

    assert await scene.takes(scene.token("ec-key"))
    assert await scene.takes(scene.token("rsa-key"))
    assert await scene.refusal(project.token()) is Reason.ISSUER
    assert server.requests == [REQUEST]

    await verifier.close()
    await server.stop()


async def test_flood_of_unknown_kids_makes_one_fetch_per_cool_down(scene: Scene) -> None:
    assert await scene.takes(scene.token())

    for minute in range(1, 4):
        scene.held.advance(COOL_DOWN_S)
        flood = [scene.token(kid=f"other-{n}") for n in range(400)]
        async with loop_kept_free():
            for wave in (flood[:200], flood[200:]):
                reasons = await asyncio.gather(*(scene.refusal(token) for token in wave))
                assert set(reasons) == {Reason.UNKNOWN_KEY}
        assert len(scene.server.requests) == 1 + minute

    scene.held.advance(COOL_DOWN_S - 0.1)
    await scene.ask_for_unknown_key()
    assert len(scene.server.requests) == 4


async def test_flood_of_hostile_tokens_never_asks_the_issuer(scene: Scene) -> None:
    hostile = (
        scene.token(kid="other", jku="http://127.0.0.1:9/"),
        scene.token(kid="other", alg="none"),
        scene.token(kid="other", alg="HS384"),
        scene.project.token(header={"kid": "other"}, exp=1),
        scene.project.token(header={"kid": "other"}, role="service_role"),
        scene.token(None, kid="other")[:-4] + "AAAA",
    )
    for token in hostile:
        await scene.refusal(token)

    assert scene.server.requests == []
    assert await scene.takes(scene.token())


async def test_rotated_key_is_fetched_on_first_sight_and_the_old_one_goes(scene: Scene, held: HeldClock) -> None:
    before = scene.token("ec-key")
    assert await scene.takes(before)
    rotated = StubProject()
    rotated.signing_keys["new-key"] = rotated.signing_keys.pop("ec-key")
    scene.server.answer = document(rotated.key_document())
    held.advance(COOL_DOWN_S)

    assert await scene.takes(rotated.token("new-key"))
    assert await scene.refusal(scene.token("ec-key")) is Reason.UNKNOWN_KEY
    assert len(scene.server.requests) == 2


async def test_key_rotated_right_after_the_start_is_fetched_at_once_and_the_next_one_after_the_cool_down(
    scene: Scene, held: HeldClock
) -> None:
    assert await scene.takes(scene.token())
    rotated = StubProject()
    rotated.signing_keys["new-key"] = rotated.signing_keys["ec-key"]
    scene.server.answer = document(rotated.key_document())
    held.advance(1)

    assert await scene.takes(rotated.token("new-key"))
    for _ in range(3):
        await scene.ask_for_unknown_key()
    assert len(scene.server.requests) == 2
    held.advance(COOL_DOWN_S)
    await scene.ask_for_unknown_key()
    assert len(scene.server.requests) == 3


async def test_hs256_is_refused_under_the_kid_of_a_published_key(scene: Scene) -> None:
    assert await scene.takes(scene.token())

    assert await scene.refusal(scene.token(None, kid="ec-key")) is Reason.ALGORITHM
    assert await scene.takes(scene.token(None, kid="of-the-secret"))
    assert await scene.takes(scene.token(None))


async def test_old_keys_are_renewed_behind_the_callers_back(scene: Scene) -> None:
    assert await scene.takes(scene.token())
    scene.held.advance(FRESH_S - 0.1)
    assert await scene.takes(scene.token())
    assert len(scene.server.requests) == 1

    scene.server.asked.clear()
    scene.server.answer = silence
    scene.held.advance(0.1)
    assert await asyncio.wait_for(scene.takes(scene.token()), 2)

    await asyncio.wait_for(scene.server.asked.wait(), 2)
    assert len(scene.server.requests) == 2


async def test_very_old_keys_are_renewed_before_they_are_used_again(scene: Scene) -> None:
    assert await scene.takes(scene.token())
    scene.server.answer = document({"keys": []})
    scene.held.advance(STALE_S)

    assert await scene.refusal(scene.token()) is Reason.UNKNOWN_KEY


async def stopped(scene: Scene) -> None:
    await scene.server.stop()


def answering(answer: Answer) -> Callable[[Scene], Awaitable[None]]:
    async def arrange(scene: Scene) -> None:
        scene.server.answer = answer

    return arrange


def rsa_key(modulus: int, exponent: bytes = b"AQAB") -> bytes:
    n = encoded(modulus.to_bytes((modulus.bit_length() + 7) // 8))
    return b'{"kty":"RSA","kid":"ec-key","n":"' + n + b'","e":"' + exponent + b'"}'


def padded(size: int) -> bytes:
    return b'{"keys":[]' + b" " * (size - 11) + b"}"


BROKEN: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "down": stopped,
    "hangs up at once": answering(raw()),
    "hangs up in the middle": answering(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")),
    "not HTTP": answering(raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")),
    "a header of 200 KiB": answering(raw(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 200 * 1024 + b"\r\n\r\n")),
    "endless headers": answering(raw(b"HTTP/1.1 200 OK\r\n", *[b"A: a\r\n" * 1000] * 50)),
    "500": answering(status(500)),
    "404": answering(status(404)),
    "204": answering(raw(b"HTTP/1.1 204 No Content\r\n\r\n")),
    "206": answering(status(206, b'{"keys":[]}')),
    "empty": answering(status(200, b"")),
    "a page": answering(status(200, b"<html>sign in to the network</html>")),
    "one byte too long": answering(status(200, padded(DOCUMENT_BYTES_MAX + 1))),
    "endless": answering(endless),
    "compressed": answering(status(200, gzip.compress(padded(10**7)), "Content-Encoding: gzip\r\n")),
    "nested 30,000 deep": answering(status(200, b"[" * 30_000 + b"]" * 30_000)),
    "30,000 keys": answering(status(200, b'{"keys":[' + b"1," * 30_000 + b"1]}")),
    "a number of 60,000 digits": answering(status(200, b'{"keys":' + b"9" * 60_000 + b"}")),
    "20,000 members": answering(
        status(200, b"{" + b",".join(b'"%x":1' % n for n in range(7000)) + b',"keys":[{"kty":"oct"}]}')
    ),
    "a modulus of 380,000 bits": answering(status(200, b'{"keys":[' + rsa_key(2**380_000 + 1) + b"]}")),
    "an even modulus": answering(status(200, b'{"keys":[' + rsa_key(2**2047) + b"]}")),
    "a huge exponent": answering(status(200, b'{"keys":[' + rsa_key(2**2047 + 1, b"_" * 342) + b"]}")),
    "a kid twice": answering(
        status(200, b'{"keys":[' + rsa_key(2**2047 + 1) + b"," + rsa_key(2**2047 + 3) + b"]}"),
    ),
    "a shared secret": answering(document({"keys": [{"kty": "oct", "kid": "ec-key", "k": "AAAA", "alg": "HS256"}]})),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_broken_issuer_leaves_the_keys_at_hand_in_use(scene: Scene, kind: str) -> None:
    assert await scene.takes(scene.token())
    await BROKEN[kind](scene)
    asked = len(scene.server.requests)

    async with loop_kept_free():
        for age_s in (COOL_DOWN_S, FRESH_S, STALE_S, 24 * 3600):
            scene.held.advance(age_s)
            await scene.ask_for_unknown_key()
            assert await scene.takes(scene.token("ec-key"))
            assert await scene.takes(scene.token("rsa-key"))

    assert len(scene.server.requests) - asked <= 4


@pytest.mark.parametrize("kind", BROKEN)
async def test_issuer_broken_from_the_start_is_said_to_be_unavailable(scene: Scene, kind: str) -> None:
    await BROKEN[kind](scene)

    with structlog.testing.capture_logs() as lines:
        async with loop_kept_free():
            assert await scene.unavailable() == COOL_DOWN_S
        scene.held.advance(10)
        assert await scene.unavailable() == COOL_DOWN_S - 10

    assert [line["event"] for line in lines] == ["signing_keys_not_fetched"]
    assert "eyJ" not in str(lines)
    assert len(scene.server.requests) <= 1
    assert await scene.takes(scene.token(None))


async def test_issuer_that_comes_back_is_found_after_the_cool_down(scene: Scene) -> None:
    await scene.server.stop()
    await scene.unavailable()
    await scene.server.start()

    scene.held.advance(COOL_DOWN_S - 1)
    assert await scene.unavailable() == 1
    assert scene.server.requests == []

    scene.held.advance(1)
    assert await scene.takes(scene.token())
    assert len(scene.server.requests) == 1


async def test_redirect_is_not_followed(scene: Scene) -> None:
    elsewhere = KeyServer()
    await elsewhere.start()
    elsewhere.answer = document(scene.project.key_document())
    location = f"Location: http://127.0.0.1:{elsewhere.port}/auth/v1/.well-known/jwks.json\r\n"

    for code in (301, 302, 303, 307, 308):
        scene.server.answer = status(code, headers=location)
        await scene.unavailable()
        scene.held.advance(COOL_DOWN_S)
    assert len(scene.server.requests) == 5
    assert elsewhere.requests == []

    scene.server.answer = document(scene.project.key_document())
    assert await scene.takes(scene.token())
    await elsewhere.stop()


async def test_longest_allowed_document_is_read(scene: Scene) -> None:
    body = json.dumps(scene.project.key_document()).encode()
    scene.server.answer = status(200, body + b" " * (DOCUMENT_BYTES_MAX - len(body)))

    async with loop_kept_free():
        assert await scene.takes(scene.token())


@pytest.mark.parametrize("answer", [silence, drip])
async def test_slow_issuer_costs_a_bounded_wait_and_only_those_who_need_it(scene: Scene, answer: Answer) -> None:
    assert await scene.takes(scene.token())
    scene.server.answer = answer
    scene.held.advance(FRESH_S)

    began = time.monotonic()
    async with loop_kept_free():
        waiting = asyncio.gather(*(scene.ask_for_unknown_key() for _ in range(50)))
        await asyncio.wait_for(scene.server.asked.wait(), 2)
        for _ in range(20):
            assert await asyncio.wait_for(scene.takes(scene.token()), 1)
        assert not waiting.done()
        await waiting

    assert time.monotonic() - began < FETCH_S_MAX + 2
    assert len(scene.server.requests) == 2

    scene.server.answer = document(scene.project.key_document())
    scene.held.advance(COOL_DOWN_S)
    async with asyncio.timeout(5):
        while len(scene.server.requests) == 2:  # the slow fetch may end a moment after those who waited for it
            await scene.ask_for_unknown_key()
    assert len(scene.server.requests) == 3


async def test_issuer_that_fails_delays_nobody_however_old_the_keys_are(scene: Scene) -> None:
    assert await scene.takes(scene.token())
    scene.server.answer = status(500)
    scene.held.advance(FRESH_S)
    await scene.ask_for_unknown_key()

    scene.server.asked.clear()
    scene.server.answer = silence
    scene.held.advance(24 * 3600)
    assert await asyncio.wait_for(scene.takes(scene.token()), 2)

    await asyncio.wait_for(scene.server.asked.wait(), 2)


async def test_fetch_that_outlasts_the_cool_down_is_still_the_only_one(scene: Scene) -> None:
    assert await scene.takes(scene.token())
    released = asyncio.Event()
    scene.server.asked.clear()
    scene.server.answer = once(released, document(scene.project.key_document()))
    scene.held.advance(FRESH_S)
    assert await scene.takes(scene.token())
    await asyncio.wait_for(scene.server.asked.wait(), 2)

    for _ in range(3):
        scene.held.advance(COOL_DOWN_S)
        assert await scene.takes(scene.token())
    released.set()
    await scene.ask_for_unknown_key()

    assert len(scene.server.requests) == 2


async def test_caller_that_goes_away_leaves_the_fetch_to_the_others(scene: Scene) -> None:
    released = asyncio.Event()
    scene.server.answer = once(released, document(scene.project.key_document()))
    leaving = asyncio.create_task(scene.takes(scene.token()))
    await asyncio.wait_for(scene.server.asked.wait(), 2)
    staying = asyncio.create_task(scene.takes(scene.token()))
    await asyncio.sleep(0)

    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    released.set()
    assert await asyncio.wait_for(staying, 2)
    assert len(scene.server.requests) == 1


async def test_closing_ends_a_fetch_under_way_at_once(scene: Scene) -> None:
    scene.server.answer = silence
    waiting = asyncio.create_task(scene.takes(scene.token()))
    await asyncio.wait_for(scene.server.asked.wait(), 2)

    await asyncio.wait_for(scene.verifier.close(), 1)

    with pytest.raises(IssuerUnavailableError):
        await asyncio.wait_for(waiting, 1)
