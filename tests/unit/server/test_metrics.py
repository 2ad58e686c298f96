import time
from collections.abc import Callable

import pytest
from pydantic import SecretStr
from starlette.requests import Request

from server.auth.errors import UnauthenticatedError
from server.errors import NoSuchRouteError
from server.observability.metrics import Metrics
from server.observability.router import admit

HOT_PATH_S_MAX = 20e-6
TOKEN = SecretStr("a-scraper-and-nobody-else")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"glovebox_{name}", labels)


def runs(metrics: Metrics, outcome: str) -> float | None:
    return value(metrics, "runs_total", outcome=outcome, tier="restricted", test="false")


def test_a_run_counts_as_it_was_stored() -> None:
    metrics = Metrics()

    with metrics.run("restricted", test=False) as count:
        assert metrics.runs_live == 1
        count.ended("timed_out", None, 1_234)

    assert runs(metrics, "timed_out") == 1
    assert value(metrics, "credits_charged_microcredits_total") == 1_234
    assert metrics.runs_live == 0


def test_a_run_that_failed_through_us_is_lost() -> None:
    metrics = Metrics()

    with metrics.run("restricted", test=False) as count:
        count.ended("failed", "lost", 0)

    assert runs(metrics, "lost") == 1
    assert runs(metrics, "failed") is None


def test_a_run_that_could_not_be_stored_is_lost_too() -> None:
    metrics = Metrics()

    with pytest.raises(RuntimeError), metrics.run("restricted", test=False):
        raise RuntimeError

    assert runs(metrics, "lost") == 1
    assert metrics.runs_live == 0


def test_a_run_that_the_policy_refused_is_a_rejection() -> None:
    metrics = Metrics()

    with metrics.run("restricted", test=False) as count:
        count.ended("rejected", None, 0)
    metrics.rejected_program()

    assert value(metrics, "policy_rejections_total") == 2


def test_what_callers_make_up_adds_no_label_value() -> None:
    metrics = Metrics()

    for method in ("GET", "get", "BREW", "X" * 1_000):
        metrics.request(method, None, 404)
    metrics.request("GET", "/runs", None)

    assert value(metrics, "requests_total", method="GET", route="none", status="4xx") == 1
    assert value(metrics, "requests_total", method="other", route="none", status="4xx") == 3
    assert value(metrics, "requests_total", method="GET", route="/runs", status="none") == 1


def test_applications_in_one_process_count_apart() -> None:
    first, second = Metrics(), Metrics()

    first.rejected_program()

    assert value(first, "policy_rejections_total") == 1
    assert value(second, "policy_rejections_total") == 0


def test_counting_a_call_takes_less_than_20_microseconds() -> None:
    metrics = Metrics()
    laps_ms = {"auth": 0.1, "wait": 0.0, "begin": 0.6, "sandbox": 1.8, "finish": 0.9}

    def call() -> None:
        with metrics.run("restricted", test=False) as count:
            count.ended("succeeded", None, 1_002)
        metrics.timed(laps_ms)
        metrics.request("GET", "/agents/{user_id}/{agent_name}", 200)

    assert best_of(20, call) < HOT_PATH_S_MAX


def best_of(rounds: int, call: Callable[[], None]) -> float:
    """The mean time of a call in the calmest of several rounds: others use this machine too."""
    means = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(200):
            call()
        means.append((time.perf_counter() - started) / 200)
    return min(means)


def request_from(client: tuple[str, int] | None, **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/metrics", "headers": raw, "client": client})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_reads_without_a_token(host: str) -> None:
    admit(request_from((host, 5)), None)


@pytest.mark.parametrize(
    "client", [None, ("203.0.113.9", 5), ("10.0.0.1", 5), ("::ffff:10.0.0.1", 5), ("fe80::1", 5), ("", 0), ("x", 5)]
)
def test_nobody_else_does(client: tuple[str, int] | None) -> None:
    with pytest.raises(NoSuchRouteError):
        admit(request_from(client), None)


@pytest.mark.parametrize("name", ["forwarded", "via", "x_forwarded_for", "x_forwarded_host", "x_real_ip"])
def test_a_request_that_was_passed_on_is_nobodys_here(name: str) -> None:
    with pytest.raises(NoSuchRouteError):
        admit(request_from(("127.0.0.1", 5), **{name: "127.0.0.1"}), None)


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer x", "Bearer ä", f"bearer {TOKEN.get_secret_value()}"])
def test_a_token_that_is_set_is_needed_on_this_machine_too(given: str) -> None:
    with pytest.raises(UnauthenticatedError):
        admit(request_from(("127.0.0.1", 5), authorization=given), TOKEN)


def test_the_token_is_enough_from_anywhere() -> None:
    admit(request_from(("203.0.113.9", 5), authorization=f"Bearer {TOKEN.get_secret_value()}"), TOKEN)
