"""From parsed JSON to a model, or to a refusal that points at each place."""

import heapq
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from sandbox.offload import offload
from server.errors import InvalidRequestError

ERRORS_MAX = 20

M = TypeVar("M", bound=BaseModel)


async def parse(model: type[M], value: Mapping[str, Any]) -> M:
    """A body as its model. Raises InvalidRequestError naming at most `ERRORS_MAX` places."""
    _refuse_unknown(model, value)
    try:
        return await offload(lambda: model.model_validate(value))
    except ValidationError as exc:
        errors = findings(exc.errors(include_url=False, include_context=False, include_input=False))
        raise InvalidRequestError("The body is not what this route takes.", errors) from exc


def _refuse_unknown(model: type[BaseModel], value: Mapping[str, Any], path: str = "", depth: int = 2) -> None:
    """Refuse many unknown members before pydantic makes an error of each: a body has room for 100,000 of them."""
    unknown = value.keys() - model.model_fields.keys()
    if len(unknown) > ERRORS_MAX:
        shown = heapq.nsmallest(ERRORS_MAX, unknown)
        errors = [{"path": f"{path}/{_escaped(name)}", "message": "is not known here"} for name in shown]
        raise InvalidRequestError("The body is not what this route takes.", errors)
    for name, field in model.model_fields.items():
        inner = next((part for part in (field.annotation, *get_args(field.annotation)) if _is_model(part)), None)
        found = value.get(name)
        if inner is None or depth == 0:
            continue
        for index, item in enumerate(found if isinstance(found, list) else [found]):
            if isinstance(item, dict):
                place = f"{path}/{name}" + (f"/{index}" if isinstance(found, list) else "")
                _refuse_unknown(inner, item, place, depth - 1)


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _escaped(part: object) -> str:
    """A JSON pointer's reference token (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")


def findings(errors: Iterable[Mapping[str, Any]], prefix: str = "") -> list[dict[str, str]]:
    """Validation errors as `path` (a JSON pointer, RFC 6901, after `prefix`) and `message`; never the input itself."""
    return [
        {
            "path": prefix + "".join(f"/{_escaped(part)}" for part in error["loc"]),
            "message": error["msg"],
        }
        for error in list(errors)[:ERRORS_MAX]
    ]
