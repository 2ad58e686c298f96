"""The OpenAPI document: problem documents for every route, the bearer scheme, and what raw routes take."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from server.errors import PROBLEMS, Problem
from server.idempotency import UNKEPT
from server.invocations.outcomes import RULINGS
from server.links import add_links

PROBLEM_JSON = "application/problem+json"
PROTECTED = (
    "unauthenticated", "token_refused", "api_keys_unavailable", "issuer_unavailable", "query_too_long",
    "store_unavailable", "misconfigured",
)  # fmt: skip
KEYED = ("idempotency_in_flight", "idempotency_mismatch", "invalid_idempotency_key")
EVERYWHERE = ("headers_too_large", "internal", "path_too_long")
OPEN_PREFIX = "/health/"

Responses = dict[int | str, dict[str, Any]]

_BY_CODE: Mapping[str, Problem] = {problem.code: problem for problem in PROBLEMS.values()}
_STATUS_OF_OUTCOME = {outcome.value: ruling.status for outcome, ruling in RULINGS.items() if ruling.status != 200}
_KEY_PARAMETER: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "for 24 h a repeat of this request with this key gets the first answer, and nothing happens twice",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "description": "Problem details (RFC 9457). Match `code`; `detail` is for people.",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri", "description": "the request's id"},
        "code": {"type": "string", "enum": sorted({*_BY_CODE, *_STATUS_OF_OUTCOME})},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "one object per offending place"},
        "error": {"type": ["object", "null"], "description": "what the agent's own code raised, and at which line"},
    },
}


def problems(*codes: str, protected: bool = True) -> Responses:
    """A route's `responses`: its own codes and those that every route of its kind can answer, grouped by status."""
    by_status: dict[int, list[str]] = {}
    for code in sorted({*codes, *EVERYWHERE, *(PROTECTED if protected else ())}):
        status = _BY_CODE[code].status if code in _BY_CODE else _STATUS_OF_OUTCOME[code]
        by_status.setdefault(status, []).append(code)
    return {
        status: {
            "description": "; ".join(f"`{code}`: {_title(code)}" for code in found),
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, found in sorted(by_status.items())
    }


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads its own body as `model`."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def document_api(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = dict(_PROBLEM_SCHEMA)
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schema["components"]["securitySchemes"] = {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "a token of the issuer, or an API key (`gbx_...`)",
            }
        }
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                _complete(path, operation, schemas)
                if method == "post" or operation["operationId"] == "invoke_agent_by_get":
                    _document_key(operation)
        add_links({found["operationId"]: found for found in _operations(schema)})
        app.openapi_schema = schema
    return app.openapi_schema


def _operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (operation for operations in schema["paths"].values() for operation in operations.values())


def _document_key(operation: dict[str, Any]) -> None:
    """What every operation says of idempotency keys."""
    kept = operation["operationId"] not in UNKEPT
    if kept:
        operation["parameters"] = [*operation.get("parameters", []), _KEY_PARAMETER]
    for status, response in problems(*(KEYED if kept else ("idempotency_unsupported",)), protected=False).items():
        own = operation["responses"].setdefault(str(status), response)
        told = own["description"].split("; ")
        own["description"] = "; ".join(sorted({*told, *response["description"].split("; ")}))


def _title(code: str) -> str:
    if code in _BY_CODE:
        return _BY_CODE[code].title
    return next(ruling.title for outcome, ruling in RULINGS.items() if outcome.value == code)


def _complete(path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    operation["security"] = [] if path.startswith(OPEN_PREFIX) else [{"bearer": []}]
    # What FastAPI adds by itself for parameters of which no value is refused.
    if PROBLEM_JSON not in operation["responses"].get("422", {}).get("content", {PROBLEM_JSON: {}}):
        del operation["responses"]["422"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    schemas.update(body.pop("$defs", {}))
