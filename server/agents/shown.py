"""Agents as answers show them."""

from fastapi import Request

from agents_store.types import Agent, AgentDetail
from server.agents.schemas import AgentShown, AgentSummary
from server.services import Services


def base_of(request: Request, services: Services) -> str:
    """How callers reach this server, without a slash at the end."""
    return str(services.settings.public_url or request.base_url).rstrip("/")


def _fields(base: str, agent: Agent) -> dict[str, object]:
    return {
        "id": agent.id,
        "user_id": agent.user_id,
        "agent_name": agent.agent_name,
        "description": agent.description,
        "url": f"{base}/agents/{agent.user_id}/{agent.agent_name}",
        "tier": agent.tier,
        "version": agent.version,
        "revision": agent.revision,
        "status": agent.status.value,
        "created_at": agent.created_at,
        "updated_at": agent.updated_at,
    }


def show_summary(base: str, agent: Agent) -> AgentSummary:
    """An agent as lists show it."""
    return AgentSummary.model_validate(_fields(base, agent))


def show_detail(request: Request, services: Services, detail: AgentDetail) -> AgentShown:
    """An agent with its current version, as answers show it."""
    version = detail.version
    return AgentShown.model_validate(
        {
            **_fields(base_of(request, services), detail.agent),
            "code": version.code,
            "inputs_schema": version.inputs_schema,
            "examples": version.examples,
            "limits": version.limits,
            "allowed_hosts": version.allowed_hosts,
            "tier_reasons": version.reasons or {},
        }
    )
