"""`glovebox bench`, or `python -m bench`: one table of latencies as multiples of a bare interpreter start."""

import argparse
import asyncio
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import structlog

from bench.docker_peers import measure_peers
from bench.http_calls import Server, measure_first_calls, measure_sustained, measure_warm, running_server
from bench.samples import Row, as_json, render, summarise
from bench.tiers import available_tiers, measure_tier
from sandbox.types import Tier
from server.settings import Settings

STARTS_EVERY = 10
FIRST_CALLS = 30
FIRST_CALL_REST_S = 1.5
USERS = (1, 16)
CONNECTIONS = 16


def main() -> None:
    """Measure and print."""
    options = _read_options()
    # Only the table goes to standard output.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    with tempfile.TemporaryDirectory(prefix="glovebox-bench-") as scratch:
        Path(scratch).chmod(0o755)  # the database's own uid must be able to pass through
        settings = Settings(
            data_dir=Path(scratch) / "data",
            database_url=None,
            supabase_url=None,
            tiers=options.tiers or tuple(Tier),
            log_format="json",
            log_level="warning",
        )
        available = asyncio.run(available_tiers(settings))
        for tier in sorted(set(settings.tiers) - set(available)):
            sys.stderr.write(f"{tier} is left out: `glovebox doctor` says what it needs\n")
        rows, starts = _measure(settings.model_copy(update={"tiers": available}), options, Path(scratch))
    yardstick = summarise("bare start", starts)
    rows = [yardstick, *rows]
    sys.stdout.write(json.dumps(as_json(rows, yardstick), indent=1) if options.json else render(rows, yardstick))
    sys.stdout.write("\n")
    if any(row.failed for row in rows):
        sys.exit("some calls failed: the figures above do not count")


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="glovebox bench", description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="calls per latency row")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each sustained row lasts")
    parser.add_argument("--tiers", type=Tier, nargs="+", metavar="TIER", help="tiers to measure; all that there are")
    parser.add_argument(
        "--peers", type=int, default=30, metavar="N", help="calls of each other way to run code on the guest image"
    )
    parser.add_argument("--json", action="store_true", help="print data to compare instead of a table")
    return parser.parse_args()


def _measure(settings: Settings, options: argparse.Namespace, scratch: Path) -> tuple[list[Row], list[float]]:
    rows: list[Row] = []
    starts: list[float] = []

    def add(row: Row, more_starts: list[float]) -> None:
        rows.append(row)
        starts.extend(more_starts)

    for tier in settings.tiers:
        alone = settings.model_copy(update={"tiers": (tier,)})
        add(*asyncio.run(measure_tier(alone, tier, options.calls, STARTS_EVERY)))
    with running_server(settings) as server:
        for tier in settings.tiers:
            for row, more_starts in _measure_over_http(server, tier, options):
                add(row, more_starts)
    if options.peers and Tier.DOCKER in settings.tiers:
        try:
            for row, more_starts in measure_peers(settings, options.peers, scratch):
                add(row, more_starts)
        except (OSError, subprocess.SubprocessError) as exc:
            sys.stderr.write(f"what others take is left out from here on: {exc}\n")
    return rows, starts


def _measure_over_http(server: Server, tier: Tier, options: argparse.Namespace) -> Iterator[tuple[Row, list[float]]]:
    yield measure_warm(server, tier, options.calls, STARTS_EVERY)
    if tier is Tier.DOCKER:
        yield measure_first_calls(server, tier, FIRST_CALLS, FIRST_CALL_REST_S)
    for users in USERS:
        yield measure_sustained(server, tier, users, CONNECTIONS, options.seconds), []


if __name__ == "__main__":
    main()
