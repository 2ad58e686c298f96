"""Requests made from the OpenAPI document at random: whatever comes, no 5xx is ours."""

import gc
import random
import time
from typing import Any

import httpx
import pytest

from sandbox.types import Outcome
from tests.acceptance.actors import Cast, cast_on
from tests.acceptance.running import RunningServer
from tests.acceptance.test_access_matrix import OPERATIONS, Operation
from tests.support.figures import Record
from tests.support.processes import resident_bytes

REQUESTS_AT_A_TIME_S_MAX = 1.0
RESIDENT_GROWTH_MAX = 0.10  # of this process, which the server runs in
OUTCOMES = {outcome.value for outcome in Outcome}
ENDING = ("erase_account",)  # the others would be somebody else's

TEXTS = (
    "", " ", "0", "-1", "1e999", "null", "true", "NaN", "a" * 300, "é" * 100, "\u202e", "日本", "' or 1=1 --",
    "../../x", "%00", "\U0001f600", "{}", "<script>", "${7*7}", "2147483648", "9" * 500, "gbx_x", "hello",
)  # fmt: skip
NAMES = (
    "agent_name", "code", "description", "tier", "inputs_schema", "examples", "limits", "name", "expires_in_days",
    "user_id", "test", "wall_ms_max", "type", "properties", "inputs", "expect", "$ref", "anyOf", "items",
)  # fmt: skip
HEADERS = ("If-Match", "If-None-Match", "Idempotency-Key", "Prefer", "Accept", "Last-Event-ID", "Content-Type", "Range")


class Fuzzer:
    """Makes requests. The same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - repeatable

    def value(self, depth: int = 0) -> Any:
        kinds = 9 if depth < 5 else 6
        match self._chance.randrange(kinds):
            case 0:
                return self._chance.choice(TEXTS)
            case 1:
                return self._chance.choice((0, -1, 2**31, 2**63, 2**64, 10**30, 1, 50))
            case 2:
                return self._chance.choice((0.5, -0.0, 1e308, 1e-320))
            case 3:
                return self._chance.choice((None, True, False))
            case 4 | 5:
                return self._chance.choice(("def run(inputs):\n    return inputs", "auto", "restricted", "object"))
            case 6:
                return [self.value(depth + 1) for _ in range(self._chance.randrange(4))]
        return {self._chance.choice(NAMES): self.value(depth + 1) for _ in range(self._chance.randrange(5))}

    def body(self) -> dict[str, Any]:
        """Arguments of a request: JSON, or bytes that are none."""
        match self._chance.randrange(8):
            case 0:
                return {}
            case 1:
                return {"content": self._chance.randbytes(self._chance.randrange(200))}
            case 2:
                depth = self._chance.choice((10, 64, 65, 10_000))
                return {"content": b"[" * depth + b"]" * depth}
            case 3:
                return {"content": b'{"a":' * 10_000}
        return {"json": {self._chance.choice(NAMES): self.value() for _ in range(self._chance.randrange(6))}}

    def request(self, cast: Cast, operation: Operation) -> dict[str, Any]:
        ids = cast.ids(self._chance.choice(("own", "own", "own", "foreign", "unknown", "malformed")))
        names = (*NAMES, "limit", "cursor", "test", "name", "after")
        params = {self._chance.choice(names): self._chance.choice(TEXTS) for _ in range(self._chance.randrange(4))}
        headers = {
            self._chance.choice(HEADERS): self._chance.choice(TEXTS).encode("utf-8")[:200]
            for _ in range(self._chance.randrange(3))
        }
        path = operation.path.format(**ids)
        if self._chance.random() < 0.1:
            path += self._chance.choice(("/", "//", "/..", "/%00", "/%2e%2e", "/é", ";x"))
        method = operation.method if self._chance.random() < 0.95 else self._chance.choice(("PUT", "HEAD", "OPTIONS"))
        return {"method": method, "url": path, "params": params, "headers": headers, **self.body()}

    def operation(self) -> Operation:
        return self._chance.choice([operation for operation in OPERATIONS if operation.id not in ENDING])


def is_ours(answer: httpx.Response) -> bool:
    """Whether a 5xx is a defect of ours: an agent's has a run and an outcome."""
    if answer.status_code < 500:
        return False
    if answer.json().get("code") == "generation_unavailable":  # no model is set up here
        return False
    return "Glovebox-Run-Id" not in answer.headers or answer.json().get("code") not in OUTCOMES


async def fuzz(server: RunningServer, seed: int, requests: int) -> None:
    fuzzer = Fuzzer(seed)
    took, defects = [], []
    async with cast_on(server) as cast:
        for number in range(requests):
            request = fuzzer.request(cast, fuzzer.operation())
            started = time.perf_counter()
            try:
                answer = await cast.alice.http.request(**request)
            except (httpx.InvalidURL, httpx.LocalProtocolError):
                continue
            took.append(time.perf_counter() - started)
            if is_ours(answer):
                defects.append((number, request["method"], request["url"], answer.status_code, answer.text[:200]))

    assert defects == []
    assert len(took) >= requests * 0.8
    assert sorted(took)[int(len(took) * 0.99)] <= REQUESTS_AT_A_TIME_S_MAX


async def test_no_request_of_300_is_a_defect_of_ours(server: RunningServer) -> None:
    await fuzz(server, seed=1, requests=300)


@pytest.mark.long
async def test_no_request_of_10_000_is_a_defect_of_ours(server: RunningServer, record_property: Record) -> None:
    sizes = []
    for seed in range(10):
        await fuzz(server, seed=100 + seed, requests=1_000)
        gc.collect()
        sizes.append(resident_bytes())

    record_property("resident growth", sizes[-1] / sizes[0] - 1)
    assert sizes[-1] <= sizes[0] * (1 + RESIDENT_GROWTH_MAX)
