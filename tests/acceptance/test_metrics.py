"""`GET /metrics` of a whole server: what is counted, who may read it, and that it names nobody."""

import re
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.running import RunningServer, User, client_for, reachable_directory, running, settings_for

METRICS_TOKEN = "a-scraper-and-nobody-else"
LOOPBACK = {"x-forwarded-for": "127.0.0.1"}
# Every label that any metric may have, and the values that it may take.
LABELS = {
    "outcome": re.compile(r"[a-z_]+"),
    "tier": re.compile(r"restricted|monty|docker"),
    "test": re.compile(r"true|false"),
    "phase": re.compile(r"wait|begin|sandbox|finish"),
    "state": re.compile(r"ready|live|idle|used|waiting"),
    "reason": re.compile(r"[a-z_]+"),
    "method": re.compile(r"GET|POST|PATCH|PUT|DELETE|HEAD|OPTIONS|other"),
    "route": re.compile(r"none|(/([a-z_-]+|\{[a-z_]+\}))+"),
    "status": re.compile(r"[1-5]xx|none"),
    "le": re.compile(r"[0-9.e+-]+|\+Inf"),
}

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scrape(client: httpx.AsyncClient) -> Samples:
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return samples_of(answer.text)


def samples_of(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((f"glovebox_{name}", frozenset(labels.items())), 0.0)


async def test_runs_are_counted_by_how_they_ended(alice: User, anonymous: httpx.AsyncClient) -> None:
    await alice.create("echo", "def run(inputs):\n    return inputs", tier="restricted")
    await alice.create("broken", "def run(inputs):\n    raise ValueError(inputs)", tier="restricted")
    before = await scrape(anonymous)

    paid = [int((await alice.http.get(alice.path("echo"))).headers["glovebox-charge"]) for _ in range(3)]
    await alice.http.get(alice.path("echo"), params={"test": "true"})
    paid.append(int((await alice.http.get(alice.path("broken"))).headers["glovebox-charge"]))
    after = await scrape(anonymous)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    route = "/agents/{user_id}/{agent_name}"
    assert grown("runs_total", outcome="succeeded", tier="restricted", test="false") == 3
    assert grown("runs_total", outcome="succeeded", tier="restricted", test="true") == 1
    assert grown("runs_total", outcome="failed", tier="restricted", test="false") == 1
    assert grown("credits_charged_microcredits_total") == sum(paid)
    assert grown("requests_total", method="GET", route=route, status="2xx") == 4
    assert grown("requests_total", method="GET", route=route, status="5xx") == 1
    for phase in ("wait", "begin", "sandbox", "finish"):
        assert grown("run_seconds_count", phase=phase) == 5
    assert value(after, "run_seconds_sum", phase="begin") > 0
    assert value(after, "runs_live") == 0


async def test_refusals_are_counted_with_their_reason(alice: User, anonymous: httpx.AsyncClient) -> None:
    before = await scrape(anonymous)

    assert (await anonymous.get("/runs")).status_code == 401
    assert (await anonymous.get("/runs", headers={"Authorization": "Basic x"})).status_code == 401
    bad = {"agent_name": "bad", "code": "import os\ndef run(): pass", "tier": "restricted"}
    refused = await alice.http.post("/agents", json=bad)
    assert refused.status_code == 422
    assert (await anonymous.get("/no/such/path")).status_code == 404
    after = await scrape(anonymous)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("auth_failures_total", reason="missing") == 1
    assert grown("auth_failures_total", reason="scheme") == 1
    assert grown("policy_rejections_total") == 1
    assert grown("requests_total", method="GET", route="none", status="4xx") == 1


async def test_what_the_process_holds_is_shown_as_it_is_now(anonymous: httpx.AsyncClient) -> None:
    samples = await scrape(anonymous)

    assert 0 < value(samples, "lease_seconds_left") <= 15
    assert value(samples, "calls_waiting") == 0
    assert value(samples, "db_pool", state="idle") >= 1
    assert value(samples, "db_pool", state="used") == value(samples, "db_pool", state="waiting") == 0
    assert value(samples, "tier_ready", tier="restricted") == 1
    assert value(samples, "sandbox_children", tier="restricted", state="live") == 0
    assert value(samples, "sandbox_children", tier="restricted", state="ready") >= 0
    assert ("glovebox_reaped_runs_total", frozenset()) in samples


async def test_no_label_names_a_user_an_agent_or_a_run(alice: User, anonymous: httpx.AsyncClient) -> None:
    await alice.create("very-own-name", "def run(inputs):\n    return 1")
    run_id = (await alice.http.get(alice.path("very-own-name"))).headers["glovebox-run-id"]
    await alice.http.request("BREW", alice.path("very-own-name"))
    await alice.http.get(f"/runs/{run_id}")
    await alice.http.get("/very-own-name")

    text = (await anonymous.get("/metrics")).text
    labels = {label for _, found in await scrape(anonymous) for label in found}

    assert labels
    assert [label for label in labels if not LABELS[label[0]].fullmatch(label[1])] == []
    for secret in (str(alice.id), alice.id.hex, "very-own-name", run_id, "BREW"):
        assert secret not in text


async def test_openmetrics_is_given_to_who_asks_for_it(anonymous: httpx.AsyncClient) -> None:
    plain = await anonymous.get("/metrics")
    openmetrics = await anonymous.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert openmetrics.text.endswith("# EOF\n")


@pytest.mark.parametrize(
    "headers",
    [
        LOOPBACK,
        {"x-forwarded-for": "203.0.113.9"},
        {"forwarded": "for=127.0.0.1"},
        {"x-real-ip": "127.0.0.1"},
        {"via": "1.1 proxy"},
        {"x-forwarded-host": "localhost"},
    ],
)
async def test_what_a_proxy_on_this_machine_passes_on_is_not_from_this_machine(
    anonymous: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await anonymous.get("/metrics", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_route")
    assert (await anonymous.get("/metrics")).status_code == 200


@pytest.fixture(scope="module")
def guarded() -> Iterator[RunningServer]:
    with reachable_directory() as data_dir, running(settings_for(data_dir, metrics_token=METRICS_TOKEN)) as started:
        yield started


async def test_where_a_token_is_set_nobody_reads_without_it(guarded: RunningServer) -> None:
    def bearer(text: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {text}"}

    async with client_for(guarded, None) as client:
        refused = [
            await client.get("/metrics", headers=headers)
            for headers in (
                {},
                LOOPBACK,
                bearer("wrong"),
                bearer(METRICS_TOKEN + "x"),
                bearer(guarded.token_for(UUID(int=1))),
                {"Authorization": METRICS_TOKEN},
            )
        ]
        read = await client.get("/metrics", headers=bearer(METRICS_TOKEN) | {"x-forwarded-for": "203.0.113.9"})

    assert [answer.status_code for answer in refused] == [401] * len(refused)
    assert METRICS_TOKEN not in "".join(answer.text for answer in refused)
    assert read.status_code == 200
    assert value(samples_of(read.text), "auth_failures_total", reason="signature") >= 4
