"""Conditional requests on an agent: its ETag, `If-Match` and `If-None-Match`. Source: RFC 9110, sections 8.8 and 13."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from agents_store.errors import RevisionMovedError
from agents_store.types import Agent
from server.errors import InvalidRequestError, PreconditionRequiredError

ANYTHING = "*"

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")


def etag_of(agent: Agent) -> str:
    """The strong entity tag of an agent, new with every change of it."""
    return f'"v{agent.revision}"'


@dataclass(frozen=True, slots=True)
class Expected:
    """What a caller who changes an agent expects it to be; no tags mean whatever it is."""

    tags: Sequence[str]

    @property
    def is_anything(self) -> bool:
        """Whether every state of the agent will do."""
        return not self.tags

    def require(self, agent: Agent) -> None:
        """Raise RevisionMovedError unless the agent is what was expected. Weak tags match nothing (section 13.1.1)."""
        if not self.is_anything and etag_of(agent) not in self.tags:
            raise RevisionMovedError(f"agent {agent.agent_name!r} is at revision {agent.revision}")


def read_if_match(request: Request) -> Expected:
    """What `If-Match` expects.

    Raises:
        PreconditionRequiredError: the header is missing.
        InvalidRequestError: it is neither `*` nor a list of entity tags.
    """
    tags = _tags(request, "if-match")
    if tags is None:
        raise PreconditionRequiredError
    return Expected(() if tags == [ANYTHING] else tags)


def is_known_to_caller(request: Request, agent: Agent) -> bool:
    """Whether `If-None-Match` names the agent as it is, so that it need not be sent. Raises InvalidRequestError."""
    tags = _tags(request, "if-none-match") or []
    return tags == [ANYTHING] or etag_of(agent) in [tag.removeprefix("W/") for tag in tags]


def _tags(request: Request, header: str) -> list[str] | None:
    values = request.headers.getlist(header)
    if not values:
        return None
    text = ", ".join(values).strip(" \t")
    if text == ANYTHING:
        return [ANYTHING]
    if _TAGS.fullmatch(text) is None:
        message = "must be * or entity tags in double quotes, as ETag has them"
        raise InvalidRequestError(f"The header {header} {message}.", [{"path": f"header/{header}", "message": message}])
    return re.findall(_TAG, text)
