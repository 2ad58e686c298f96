"""What one user's flood of calls does to another user's calls."""

import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path

from bench.http_calls import WARM_UP_S, Server, load_of, running_server, timed_calls
from bench.load import Load, run_load
from bench.samples import Row, summarise
from sandbox.types import Tier
from server.settings import Settings

CONNECTIONS = 40
QUIET_CALLS_MAX = 500
QUIET_S_MAX = 4.0
BESIDE_CALLS_MAX = 10_000
FLOOD_LONGER = 2.0  # so that there are as many calls beside it as before it, where each takes up to twice as long
REFUSALS = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def measure_floods(settings: Settings, count: int, scratch: Path) -> Iterator[Row]:
    """Of each tier, on a server of its own: one user's calls alone, the same beside a flood, and the flood.

    Args:
        settings: a server's, with the tiers to measure.
        count: calls alone, at most `QUIET_CALLS_MAX`; beside the flood as many as there is time for.
        scratch: where the servers may keep their data.
    """
    for tier in settings.tiers:
        changes = {"data_dir": scratch / f"flood-{tier}", "tiers": (tier,)}
        with running_server(settings.model_copy(update=changes)) as server:
            yield from _measure_flood(server, tier, min(count, QUIET_CALLS_MAX))


def flood_rows(
    tier: Tier, quiet: tuple[Sequence[float], int], beside: tuple[Sequence[float], int], load: Load
) -> Iterator[Row]:
    """The three rows of a tier. Durations are in s, each with how many of the calls failed."""
    quiet_row = summarise(f"flood/{tier}-quiet", f"{tier}, one user alone", quiet[0], failed=quiet[1])
    yield quiet_row
    yield summarise(
        f"flood/{tier}-beside",
        f"{tier}, beside another user's flood",
        beside[0],
        failed=beside[1],
        ratio_p99_to=quiet_row,
    )
    refused = sum(load.statuses.get(str(int(status)), 0) for status in REFUSALS)
    yield summarise(
        f"flood/{tier}-flood",
        f"{tier}, the flood, {CONNECTIONS} connections",
        load.durations_s,
        failed=load.failed - refused,
        refused=refused,
        elapsed_s=load.elapsed_s,
    )


def _measure_flood(server: Server, tier: Tier, count: int) -> Iterator[Row]:
    flooding, calling = (server.add_user(tier).request for _ in range(2))
    began = time.perf_counter()
    quiet = timed_calls(server, calling, count, seconds_max=QUIET_S_MAX)
    seconds = FLOOD_LONGER * (time.perf_counter() - began)
    beside: list[tuple[Sequence[float], int]] = []
    load = run_load(
        load_of(server, [flooding] * CONNECTIONS, seconds, warm_up_s=WARM_UP_S),
        # No longer than the flood lasts: calls after it would make the others look better.
        lambda: beside.append(timed_calls(server, calling, BESIDE_CALLS_MAX, seconds_max=seconds)),
    )
    yield from flood_rows(tier, quiet, beside[0], load)
