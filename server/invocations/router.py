"""The routes of an agent's URL."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import cast
from uuid import UUID

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from agents_store.types import Principal, Run
from sandbox.offload import working_for
from server.bodies import BODY_HOLD_KEY, BodyHold, query_pairs, read_object
from server.errors import InvalidRequestError, PrefetchRefusedError, RunLostError
from server.gloves.mocks import Mocks
from server.idempotency import Attempt, has_key
from server.invocations.answers import JSON, Answer
from server.invocations.docs import DRY_RUN, DRY_RUN_RESPONSES, INVOKE_BY_GET, INVOKE_BY_POST, INVOKE_RESPONSES
from server.invocations.inputs import Asked, asked_by_query, read_test, refuse_other_parameters
from server.invocations.schemas import DryRun
from server.invocations.service import Invocations, authorise
from server.routing import PlainRoute, authorization_of, note, once, request_id_of, services_of
from server.runs.shown import shown_whole
from server.validation import parse

# Any spelling of a UUID names the same user; an agent's name never looks like one, so no other route is shadowed.
PATH = "/agents/{user_id:uuid}/{agent_name}"

RESPOND_ASYNC = "respond-async"

log = structlog.get_logger("server.invocations")
router = APIRouter(route_class=PlainRoute, tags=["invocations"])


@router.get(PATH, operation_id="invoke_agent_by_get", openapi_extra=INVOKE_BY_GET, responses=INVOKE_RESPONSES)
async def invoke_by_get(request: Request) -> Response:
    """Run an agent; the query parameters are its inputs.

    Nothing caches the answer and no prefetch runs the agent; POST is the proper twin for programs.
    """
    return await _invoke(request, _HttpCall)


@router.post(PATH, operation_id="invoke_agent", openapi_extra=INVOKE_BY_POST, responses=INVOKE_RESPONSES)
async def invoke(request: Request) -> Response:
    """Run an agent; the body is exactly its inputs."""
    return await _invoke(request, _HttpCall)


@router.post(f"{PATH}/dry-runs", operation_id="dry_run_agent", openapi_extra=DRY_RUN, responses=DRY_RUN_RESPONSES)
async def dry_run(request: Request) -> Response:
    """Run an agent dry, with mocks for what its effects are to answer. Nothing is changed and nothing charged."""
    return await _invoke(request, _DryRunCall)


async def _invoke(request: Request, kind: type["_HttpCall"]) -> Response:
    perform = partial(_answer, kind=kind)
    if not has_key(request):
        return await perform(request, Attempt())
    services = services_of(request)
    principal = await services.callers.authenticate(authorization_of(request))
    note(request, user_id=str(principal.user_id))
    authorise(principal, request.path_params["user_id"])
    with services.bodies.hold(principal.user_id) as hold:
        request.scope[BODY_HOLD_KEY] = hold
        return await once(request, principal, perform)


async def _answer(request: Request, attempt: Attempt, kind: type["_HttpCall"]) -> Response:
    services = services_of(request)
    call = kind(request, attempt)
    if prefers_async(request.headers.getlist("prefer")):
        work = services.live.start(call.carried_by(services.invocations))
        return await _accepted(request, attempt, work)
    answer = await services.live.carry(call.carried_by(services.invocations))
    note(request, run_id=str(answer.run_id))
    return Response(answer.body, answer.status, answer.headers, answer.media_type)


async def _accepted(request: Request, attempt: Attempt, work: asyncio.Task[Answer]) -> Response:
    """The answer as soon as the run began. Raises what kept it from beginning."""
    begun = asyncio.ensure_future(attempt.wait_begun())
    try:
        await asyncio.wait({begun, work}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        begun.cancel()
    if (run := attempt.run) is None:
        answer = await work  # raises: without a run there is no answer
        raise RuntimeError(f"a call was answered with {answer.status} before its run began")
    work.add_done_callback(_take_note)
    note(request, run_id=str(run.id))
    headers = {
        "Location": f"/runs/{run.id}",
        "Preference-Applied": RESPOND_ASYNC,
        "Glovebox-Run-Id": str(run.id),
        "Glovebox-Tier": run.tier,
        "Cache-Control": "no-store",
    }
    return Response(shown_whole(run), 202, headers, JSON)


def _take_note(work: asyncio.Task[Answer]) -> None:
    """What ends a run that nobody waits for is stored and logged where it happens; a defect is logged here."""
    if not work.cancelled() and (error := work.exception()) is not None and not isinstance(error, RunLostError):
        log.error("run failed", exc_info=error)


def prefers_async(values: Sequence[str]) -> bool:
    """Whether Prefer headers ask for an answer before the run has ended (RFC 7240, section 4.1)."""
    preferences = (preference.partition(";")[0] for value in values for preference in value.split(","))
    return any(preference.strip().lower() == RESPOND_ASYNC for preference in preferences)


class _HttpCall:
    """An invocation as HTTP has it."""

    def __init__(self, request: Request, attempt: Attempt) -> None:
        self._request = request
        self._attempt = attempt
        self._pairs: list[tuple[str, str]] = []
        self._hold: BodyHold | None = None

    async def carried_by(self, invocations: Invocations) -> Answer:
        """The invocation's answer. What its body holds of the budget is given back when its run is finished."""
        try:
            return await invocations.invoke(self)
        finally:
            if self._hold is not None:
                self._hold.release()

    @property
    def request_id(self) -> UUID:
        return request_id_of(self._request)

    @property
    def run_id(self) -> UUID:
        return self._attempt.run_id

    @property
    def authorization(self) -> str | None:
        return authorization_of(self._request)

    @property
    def user_id(self) -> UUID:
        return cast("UUID", self._request.path_params["user_id"])

    @property
    def agent_name(self) -> str:
        return cast("str", self._request.path_params["agent_name"])

    def authenticated(self, principal: Principal) -> None:
        note(self._request, user_id=str(principal.user_id))
        working_for.set(principal.user_id)
        self._hold = self._request.scope[BODY_HOLD_KEY] = services_of(self._request).bodies.hold(principal.user_id)

    def read_test(self) -> bool:
        self._pairs = query_pairs(self._request)
        if self._request.method == "GET":
            self._refuse_prefetch()
        else:
            refuse_other_parameters(self._pairs)
        return read_test(self._pairs)

    async def read(self) -> Asked:
        if self._request.method == "GET":
            return asked_by_query(self._pairs)
        return Asked(inputs=await read_object(self._request))

    def begun(self, run: Run) -> None:
        self._attempt.begun(run)

    async def gone(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass

    def _refuse_prefetch(self) -> None:
        """Source: Fetch standard, `Sec-Purpose`; `Purpose` is what older browsers send."""
        headers = self._request.headers
        purposes = f"{headers.get('sec-purpose', '')};{headers.get('purpose', '')}".lower()
        if any(part.strip() in ("prefetch", "prerender") for part in purposes.replace(",", ";").split(";")):
            raise PrefetchRefusedError


class _DryRunCall(_HttpCall):
    """A dry run with mocks as HTTP has it."""

    def read_test(self) -> bool:
        if query_pairs(self._request):
            raise InvalidRequestError("This route takes no query: it always runs dry, and its body has the inputs.")
        return True

    async def read(self) -> Asked:
        asked = await parse(DryRun, await read_object(self._request))
        return Asked(inputs=asked.inputs, mocks=Mocks(asked.mocks))
