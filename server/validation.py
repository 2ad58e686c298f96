"""From parsed JSON to a model, or to a refusal that points at each place."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from server.errors import InvalidRequestError
from server.offload import offload

ERRORS_MAX = 20

M = TypeVar("M", bound=BaseModel)


async def parse(model: type[M], value: Mapping[str, Any]) -> M:
    """A body as its model. Raises InvalidRequestError naming at most `ERRORS_MAX` places."""
    try:
        return await offload(lambda: model.model_validate(value))
    except ValidationError as exc:
        errors = findings(exc.errors(include_url=False, include_context=False, include_input=False))
        raise InvalidRequestError("The body is not what this route takes.", errors) from exc


def findings(errors: Iterable[Mapping[str, Any]], prefix: str = "") -> list[dict[str, str]]:
    """Validation errors as `path` (a JSON pointer, RFC 6901, after `prefix`) and `message`; never the input itself."""
    return [
        {
            "path": prefix + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in error["loc"]),
            "message": error["msg"],
        }
        for error in list(errors)[:ERRORS_MAX]
    ]
