"""Probes. Open to everybody, and saying nothing that an anonymous caller may not know."""

from collections.abc import Mapping
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from server.openapi import problems
from server.routing import Wired

router = APIRouter(prefix="/health", tags=["health"])


class Life(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Health(BaseModel):
    """A probe's good answer. `degraded` serves too; `checks` says, in a word or two, what is not as it should be."""

    status: Literal["ok", "degraded"] = "ok"
    checks: Mapping[str, str] | None = None


@router.get("/live", operation_id="live", response_model=Life)
async def live() -> Life:
    """This process answers."""
    return Life()


@router.get(
    "/ready",
    operation_id="ready",
    response_model=Health,
    response_model_exclude_none=True,
    responses=problems("not_ready", protected=False),
)
async def ready(services: Wired) -> Health:
    """This process can serve: database, lease and sandbox are as they must be, and it is not stopping."""
    wrong = await services.readiness.check()
    return Health(status="degraded", checks=wrong) if wrong else Health()
