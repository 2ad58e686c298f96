"""What a dry run's caller lets its effects answer."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from agents_store.types import EffectStatus
from sandbox.types import GloveFault
from server.gloves.effect import Answered, Arguments, EffectError

MOCKS_MAX = 50
STATUS_MIN, STATUS_MAX = 100, 599

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
_FAULTS = {fault.value: fault for fault in GloveFault}


class MockError(BaseModel):
    """An exception instead of an answer."""

    model_config = _STRICT

    type: Literal["PermissionError", "TimeoutError", "ConnectionError", "LookupError", "ValueError", "RuntimeError"] = (
        Field(description="which built-in exception the program gets")
    )
    message: str = Field("mocked", max_length=1_000)


class FetchMatch(BaseModel):
    """Which fetches a mock answers: those that are all of what is given."""

    model_config = _STRICT

    method: Annotated[str | None, Field(max_length=16)] = None
    url: Annotated[
        str | None, Field(max_length=8_192, description="as the program writes it; with `*` at its end, its beginning")
    ] = None


class FetchAnswer(BaseModel):
    """What a mocked fetch brings: at most one of `json`, `text` and `base64` is its body."""

    model_config = _STRICT | ConfigDict(populate_by_name=True)

    status: int = Field(200, ge=STATUS_MIN, le=STATUS_MAX)
    headers: dict[str, str] = Field(default_factory=dict, max_length=100)
    json_value: JsonValue = Field(None, alias="json")
    text: str | None = None
    base64: str | None = None

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        if len(self.model_fields_set & {"json_value", "text", "base64"}) > 1:
            raise ValueError("has more than one of json, text and base64")
        if self.base64 is not None:
            try:
                base64.b64decode(self.base64, validate=True)
            except binascii.Error as exc:
                raise ValueError("has what is no base64") from exc
        return self


class FetchMock(BaseModel):
    """Answers fetches; nothing is sent for them."""

    model_config = _STRICT

    glove: Literal["fetch"]
    match: FetchMatch = FetchMatch()
    answer: FetchAnswer | None = None
    error: MockError | None = None

    @model_validator(mode="after")
    def _answers_once(self) -> Self:
        if (self.answer is None) == (self.error is None):
            raise ValueError("has either answer or error")
        return self


class CallMatch(BaseModel):
    """Which calls of other agents a mock answers: those that are all of what is given."""

    model_config = _STRICT

    agent_name: Annotated[str | None, Field(max_length=63)] = None
    inputs: Annotated[dict[str, JsonValue] | None, Field(description="exactly these")] = None


class CallAnswer(BaseModel):
    """What a mocked agent returns."""

    model_config = _STRICT

    result: JsonValue


class CallMock(BaseModel):
    """Answers calls of other agents; none of them runs."""

    model_config = _STRICT

    glove: Literal["call"]
    match: CallMatch = CallMatch()
    answer: CallAnswer | None = None
    error: MockError | None = None

    @model_validator(mode="after")
    def _answers_once(self) -> Self:
        if (self.answer is None) == (self.error is None):
            raise ValueError("has either answer or error")
        return self


Mock = Annotated[FetchMock | CallMock, Field(discriminator="glove")]


@dataclass(frozen=True, slots=True)
class Mocks:
    """A dry run's mocks; of those that match, the first one answers."""

    mocks: Sequence[FetchMock | CallMock] = ()

    def fetch(self, arguments: Arguments) -> Answered | None:
        """The answer to a fetch; None where nothing matches. Raises EffectError where that is an exception."""
        url, method = str(arguments.get("url")), str(arguments.get("method", "GET")).upper()
        for mock in self.mocks:
            if isinstance(mock, FetchMock) and _matches_fetch(mock.match, method, url):
                return _mocked(mock.error, {} if mock.answer is None else _response(mock.answer, url))
        return None

    def call(self, agent_name: str, inputs: Mapping[str, Any]) -> Answered | None:
        """The answer to a call; None where nothing matches. Raises EffectError where that is an exception."""
        for mock in self.mocks:
            if isinstance(mock, CallMock) and _matches_call(mock.match, agent_name, inputs):
                return _mocked(mock.error, None if mock.answer is None else mock.answer.result)
        return None


def _matches_fetch(match: FetchMatch, method: str, url: str) -> bool:
    if match.method is not None and match.method.upper() != method:
        return False
    if match.url is None:
        return True
    return url.startswith(match.url[:-1]) if match.url.endswith("*") else url == match.url


def _matches_call(match: CallMatch, agent_name: str, inputs: Mapping[str, Any]) -> bool:
    return match.agent_name in (None, agent_name) and match.inputs in (None, inputs)


def _response(answer: FetchAnswer, url: str) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    told: dict[str, Any] = {"status": answer.status, "url": url, "headers": headers}
    if answer.base64 is not None:
        return {**told, "base64": answer.base64}
    if "json_value" in answer.model_fields_set:
        headers.setdefault("content-type", "application/json")
        return {**told, "text": json.dumps(answer.json_value, ensure_ascii=False, allow_nan=False)}
    return {**told, "text": answer.text or ""}


def _mocked(error: MockError | None, value: Any) -> Answered:
    if error is not None:
        raise EffectError(_FAULTS[error.type], error.message, EffectStatus.MOCKED)
    return Answered(value, EffectStatus.MOCKED)
