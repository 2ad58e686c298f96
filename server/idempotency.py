"""Idempotency keys: a request that is sent again gets its first answer, and nothing happens twice.

Source: draft-ietf-httpapi-idempotency-key-header-08.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Protocol, cast
from uuid import UUID

import structlog
import uuid_utils.compat
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from agents_store.errors import StoreError, StoreUnavailableError
from agents_store.store import Store
from agents_store.types import Claim, Principal, Run, StoredAnswer
from server.bodies import read_body
from server.edge import REQUEST_ID_KEY, problem_response
from server.errors import InvalidKeyError, KeyUnsupportedError, RunLostError
from server.leases import Lease

HEADER = "idempotency-key"
KEEP_PAUSES_S = (0.1, 0.5, 1.0, 2.0)
# Operations whose answer holds a secret that nothing stores.
UNKEPT = frozenset({"create_api_key"})

_KEY = re.compile(r"[\x21-\x7e]{1,255}")

log = structlog.get_logger("server.idempotency")


class Attempt:
    """The one time that a request is carried out.

    Attributes:
        run_id: the id of the run that it begins, if it begins one.
        run: that run, None until it began. From then on, whatever the answer is, it is the answer for good.
    """

    def __init__(self, run_id: UUID | None = None) -> None:
        self.run_id: UUID = run_id or uuid_utils.compat.uuid7()
        self.run: Run | None = None
        self._begun = asyncio.Event()

    def begun(self, run: Run) -> None:
        """Take note that its run began."""
        self.run = run
        self._begun.set()

    async def wait_begun(self) -> None:
        """Wait until its run began, which may be never."""
        await self._begun.wait()


Perform = Callable[[Request, Attempt], Awaitable[Response]]


class AnswerRun(Protocol):
    """Makes the answer to a request from the ended run that it had begun."""

    def __call__(self, run: Run, request_id: UUID) -> Response:
        """The answer."""


class Idempotency:
    """Carries requests with a key out once.

    What was refused without any effect is not kept: its repeat is carried out. A claim whose server died is taken over
    by the next repeat; if a run had begun under it, its stored outcome is the answer, and no second run begins.
    """

    def __init__(self, store: Store, lease: Lease, answer_run: AnswerRun) -> None:
        self._store = store
        self._lease = lease
        self._answer_run = answer_run

    async def once(self, principal: Principal, request: Request, perform: Perform) -> Response:
        """The answer to a request that has a key: its first one, whenever that was given.

        Args:
            principal: the verified caller; keys of different users have nothing to do with each other.
            request: with its body unread.
            perform: carries it out.

        Raises:
            InvalidKeyError: the key is none.
            KeyMismatchError: it was used for another request.
            KeyInFlightError: a request with it is being carried out.
            StoreUnavailableError: nothing was done.
        """
        key = read_key(request)
        body = await read_body(request)
        found = await self._store.claim_key(
            principal,
            key,
            _hash_of(request, body),
            run_id=uuid_utils.compat.uuid7(),
            server_id=self._lease.server_id,
        )
        if isinstance(found, StoredAnswer):
            return _replayed(found)
        if found.ran:
            run = await self._store.get_run(principal, found.run_id)
            response = self._answer_run(run, _request_id_of(request))
        else:
            response = await self._carry_out(principal, found, _with_body(request, body), perform)
        await self._keep(principal, found, response)
        return response

    async def _carry_out(self, principal: Principal, claim: Claim, request: Request, perform: Perform) -> Response:
        attempt = Attempt(claim.run_id)
        try:
            return await perform(request, attempt)
        # Every way out decides what becomes of the key; what had no effect goes on to where errors are answered.
        except Exception as exc:
            if attempt.run is None:
                await self._free(principal, claim, in_doubt=isinstance(exc, StoreUnavailableError))
                raise
            if not isinstance(exc, RunLostError):
                log.exception("request failed after its run began")
            return problem_response(exc, _request_id_of(request))

    async def _keep(self, principal: Principal, claim: Claim, response: Response) -> None:
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        answer = StoredAnswer(response.status_code, headers, bytes(response.body))
        for pause_s in (*KEEP_PAUSES_S, None):
            try:
                await self._store.keep_answer(principal, claim, answer)
            except StoreError as exc:
                log.warning("answer not kept", error=type(exc).__name__, tried_again=pause_s is not None)
                if pause_s is not None:
                    await asyncio.sleep(pause_s)
            else:
                return

    async def _free(self, principal: Principal, claim: Claim, *, in_doubt: bool) -> None:
        try:
            await self._store.free_key(principal, claim, in_doubt=in_doubt)
        except StoreError as exc:  # its lease ends with this server, or in 15 minutes
            log.warning("idempotency key not freed", error=type(exc).__name__)


def has_key(request: Request) -> bool:
    """Whether a request has a key, well-formed or not."""
    return HEADER in request.headers


def refuse_unkept(operation_id: str | None) -> None:
    """Raise KeyUnsupportedError for an operation whose answers cannot be kept."""
    if operation_id in UNKEPT:
        raise KeyUnsupportedError


def read_key(request: Request) -> str:
    """The key. Raises InvalidKeyError unless there is one, of 1 to 255 visible ASCII characters."""
    keys = request.headers.getlist(HEADER)
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        raise InvalidKeyError
    return keys[0]


def _request_id_of(request: Request) -> UUID:
    return cast("UUID", request.scope[REQUEST_ID_KEY])


def _hash_of(request: Request, body: bytes) -> bytes:
    """SHA-256 of method, path, query and body, each told apart from the next."""
    whole = hashlib.sha256()
    for part in (request.method.encode(), request.url.path.encode(), request.scope["query_string"], body):
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()


def _replayed(answer: StoredAnswer) -> Response:
    return Response(answer.body, answer.status, {**answer.headers, "Idempotency-Replayed": "true"})


def _with_body(request: Request, body: bytes) -> Request:
    """The same request, its body ready to be read again."""
    return Request(request.scope, _receive_again(body, request.receive))


def _receive_again(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again
