"""The gloves of a replay: every call is answered from the record of the run that is repeated; nothing is performed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents_store.types import EffectRecord, EffectStatus
from sandbox.types import GloveError, GloveFault, JsonValue, LogLine, RunStoppedError
from server.agents.same_json import is_same_json
from server.gloves.effect import EffectError
from server.gloves.files import shown_file
from server.gloves.sizes import size_of

_ADDED = {"call": "run_id", "memory.get": "revision", "memory.delete": "revision", "memory.list": "revision",
          "memory.search": "revision"}  # fmt: skip
_FAULTS = {fault.value: fault for fault in GloveFault}


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where a replay left the record: what it asked, and what the record has there, None where that had ended."""

    seq: int
    glove: str
    request: Any
    recorded: EffectRecord | None


class ReplayGloves:
    """Answers from a record, in its order. Seed and clock are the record's, so that the same program asks the same.

    Attributes:
        divergence: where the program asked something else, which ended the replay; None where it did not.
    """

    def __init__(
        self,
        owner: str,
        *,
        test: bool,
        seed: int,
        started_at: datetime,
        record: Sequence[EffectRecord],
        complete: bool,
    ) -> None:
        """`complete` is False for the record of a dry run that its last effect ended."""
        self.owner = owner
        self.test = test
        self.seed = seed
        self.started_at = started_at
        self.frozen_clock = True
        self.divergence: Divergence | None = None
        self._record = record
        self._complete = complete
        self._next = 0

    def log(self, line: LogLine) -> None:
        """See `sandbox.types.Gloves`. The result has them all."""

    async def call(self, glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """See `sandbox.types.Gloves`."""
        seq = self._next + 1
        recorded = self._record[self._next] if self._next < len(self._record) else None
        if recorded is None or recorded.glove != glove or not _is_same_request(recorded, arguments):
            self.divergence = Divergence(seq, glove, arguments, recorded)
            raise RunStoppedError
        self._next = seq
        if not self._complete and seq == len(self._record):
            raise RunStoppedError
        if recorded.error is None:
            response: JsonValue = recorded.response
            return response
        fault = _FAULTS.get(str(recorded.error["type"]))
        if fault is None:  # the run was ended during this call: there is no more to repeat
            raise RunStoppedError
        raise GloveError(fault, str(recorded.error["message"]))


def _is_same_request(recorded: EffectRecord, arguments: Mapping[str, JsonValue]) -> bool:
    request: Any = recorded.request
    if set(request) == {"cut_bytes"}:  # too large to be recorded, and refused
        return bool(request["cut_bytes"] == size_of(arguments))
    if recorded.glove == "files.write" and "sha256" in request:
        try:
            return is_same_json({**request, "base64": None}, {**shown_file(arguments), "base64": None})
        except EffectError:
            return False
    added = _ADDED.get(recorded.glove)
    if added is not None and recorded.status is not EffectStatus.REFUSED:
        request = {name: value for name, value in request.items() if name != added}
    return is_same_json(request, arguments)
