"""Probes. Open to everybody, and saying nothing that an anonymous caller may not know."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from server.openapi import problems
from server.routing import Wired

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    """A probe's good answer."""

    status: Literal["ok"] = "ok"


@router.get("/live", operation_id="live", response_model=Health)
async def live() -> Health:
    """This process answers."""
    return Health()


@router.get("/ready", operation_id="ready", response_model=Health, responses=problems("not_ready", protected=False))
async def ready(services: Wired) -> Health:
    """This process can serve: its database answers and it is not stopping."""
    await services.readiness.check()
    return Health()
