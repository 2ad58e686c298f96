"""What the OpenAPI document says of the routes that read their requests by themselves."""

from typing import Any

from sandbox.types import Outcome
from server.invocations.schemas import DryRun
from server.openapi import Responses, body_of, problems

_HEADERS: dict[str, Any] = {
    "Glovebox-Run-Id": {"description": "the run", "schema": {"type": "string", "format": "uuid"}},
    "Glovebox-Tier": {"description": "the tier that it ran in", "schema": {"type": "string"}},
    "Glovebox-Charge": {"description": "what it cost, in microcredits", "schema": {"type": "integer"}},
    "Server-Timing": {"description": "ms of auth, begin, sandbox and finish", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "of a dry run: how many an hour", "schema": {"type": "string"}},
    "RateLimit": {"description": "of a dry run: how many are left, until when", "schema": {"type": "string"}},
    "Cache-Control": {"description": "no-store", "schema": {"type": "string"}},
}
_DRY_RUN: dict[str, Any] = {
    "type": "object",
    "description": "A dry run's report: what the agent would answer, do and cost.",
    "required": ["result", "test", "complete", "effects", "logs", "usage", "would_charge"],
    "properties": {
        "result": {},
        "test": {"const": True},
        "complete": {"type": "boolean", "description": "false: it met an effect that it had no answer for, and ended"},
        "stopped_at": {"type": "integer", "description": "`seq` of the effect that ended it; absent where none did"},
        "effects": {"type": "array", "items": {"type": "object"}},
        "logs": {"type": "array", "items": {"type": "object"}},
        "usage": {"type": "object"},
        "would_charge": {"type": "integer"},
    },
}
_PATH: list[dict[str, Any]] = [
    {
        "name": "user_id",
        "in": "path",
        "required": True,
        "description": "you; any spelling of the UUID",
        "schema": {"type": "string", "format": "uuid"},
    },
    {"name": "agent_name", "in": "path", "required": True, "schema": {"type": "string"}},
    {
        "name": "test",
        "in": "query",
        "required": False,
        "description": "empty, 1, true, yes, on: a dry run; absent, 0, false, no, off: a live one",
        "schema": {"type": "string", "enum": ["", "1", "true", "yes", "on", "0", "false", "no", "off"]},
    },
]
_INPUTS: dict[str, Any] = {
    "name": "inputs",
    "in": "query",
    "required": False,
    "description": "every other parameter is an input, read as the agent's inputs_schema says; repeated: a list",
    "style": "form",
    "explode": True,
    "schema": {"type": "object", "additionalProperties": True},
}

_PREFER: dict[str, Any] = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`respond-async`: answer 202 as soon as the run began",
    "schema": {"type": "string"},
}

_ACCEPTED: dict[str, Any] = {
    "description": "Asked for by `Prefer: respond-async`: the run as it began; it goes on.",
    "headers": {
        "Location": {"description": "the run", "schema": {"type": "string"}},
        "Preference-Applied": {"description": "respond-async", "schema": {"type": "string"}},
        "Glovebox-Run-Id": _HEADERS["Glovebox-Run-Id"],
    },
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RunShown"}}},
}
_PROBLEMS: Responses = problems(
    *(outcome.value for outcome in Outcome if outcome is not Outcome.SUCCEEDED),
    "body_too_large", "body_too_slow", "forbidden", "insufficient_credits", "invalid_inputs", "invalid_request",
    "lost", "prefetch_refused", "sandbox_busy", "server_busy", "shutting_down", "tier_unavailable", "too_many_bytes",
    "too_many_dry_runs", "too_many_runs", "unknown_agent", "unsupported_encoding", "version_moved",
)  # fmt: skip

INVOKE_BY_GET: dict[str, Any] = {"parameters": [*_PATH, _INPUTS, _PREFER]}
DRY_RUN: dict[str, Any] = {"parameters": [*_PATH[:2], _PREFER], **body_of(DryRun)}
INVOKE_BY_POST: dict[str, Any] = {
    "parameters": [*_PATH, _PREFER],
    "requestBody": {
        "required": True,
        "description": "exactly the inputs",
        "content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}},
    },
}
DRY_RUN_RESPONSES: Responses = {
    200: {
        "description": "The dry run's report.",
        "headers": _HEADERS,
        "content": {"application/json": {"schema": _DRY_RUN}},
    },
    202: _ACCEPTED,
    **_PROBLEMS,
}
INVOKE_RESPONSES: Responses = {
    200: {
        "description": "The agent's own JSON; of a dry run, its report.",
        "headers": _HEADERS,
        "content": {"application/json": {"schema": {"anyOf": [_DRY_RUN, {}]}}},
    },
    202: _ACCEPTED,
    **_PROBLEMS,
}
