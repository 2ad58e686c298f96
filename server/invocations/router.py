"""The routes of an agent's URL."""

from typing import cast
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from agents_store.types import Principal
from server.bodies import query_pairs, read_object
from server.errors import PrefetchRefusedError
from server.invocations.docs import INVOKE_BY_GET, INVOKE_BY_POST, INVOKE_RESPONSES
from server.invocations.inputs import Asked, asked_by_query, read_test, refuse_other_parameters
from server.routing import PlainRoute, authorization_of, note, request_id_of, services_of

# Any spelling of a UUID names the same user; an agent's name never looks like one, so no other route is shadowed.
PATH = "/agents/{user_id:uuid}/{agent_name}"

router = APIRouter(route_class=PlainRoute, tags=["invocations"])


@router.get(PATH, operation_id="invoke_agent_by_get", openapi_extra=INVOKE_BY_GET, responses=INVOKE_RESPONSES)
async def invoke_by_get(request: Request) -> Response:
    """Run an agent; the query parameters are its inputs.

    Nothing caches the answer and no prefetch runs the agent; POST is the proper twin for programs.
    """
    return await _invoke(request)


@router.post(PATH, operation_id="invoke_agent", openapi_extra=INVOKE_BY_POST, responses=INVOKE_RESPONSES)
async def invoke(request: Request) -> Response:
    """Run an agent; the body is exactly its inputs."""
    return await _invoke(request)


async def _invoke(request: Request) -> Response:
    services = services_of(request)
    answer = await services.live.carry(services.invocations.invoke(_HttpCall(request)))
    note(request, run_id=str(answer.run_id))
    return Response(answer.body, answer.status, answer.headers, answer.media_type)


class _HttpCall:
    """An invocation as HTTP has it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._pairs: list[tuple[str, str]] = []

    @property
    def request_id(self) -> UUID:
        return request_id_of(self._request)

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

    async def gone(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass

    def _refuse_prefetch(self) -> None:
        """Source: Fetch standard, `Sec-Purpose`; `Purpose` is what older browsers send."""
        headers = self._request.headers
        purposes = f"{headers.get('sec-purpose', '')};{headers.get('purpose', '')}".lower()
        if any(part.strip() in ("prefetch", "prerender") for part in purposes.replace(",", ";").split(";")):
            raise PrefetchRefusedError
