"""`glovebox bench`, or `python -m bench`: one table of latencies as multiples of a bare interpreter start."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from bench.http_calls import measure_sustained, measure_warm, running_server
from bench.samples import Row, as_json, render, summarise
from bench.tiers import measure_restricted
from server.settings import Settings

STARTS_EVERY = 10


def main() -> None:
    """Measure and print."""
    options = _read_options()
    with tempfile.TemporaryDirectory(prefix="glovebox-bench-") as scratch:
        Path(scratch).chmod(0o755)  # the database's own uid must be able to pass through
        rows, starts = _measure(Path(scratch) / "data", options.calls, options.seconds)
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
    parser.add_argument("--json", action="store_true", help="print data to compare instead of a table")
    return parser.parse_args()


def _measure(data_dir: Path, calls: int, seconds: float) -> tuple[list[Row], list[float]]:
    tier, starts = asyncio.run(measure_restricted(Settings().sandbox_uid, calls, STARTS_EVERY))
    with running_server(data_dir) as server:
        warm, more_starts = measure_warm(server, calls, STARTS_EVERY)
        sustained = [measure_sustained(server, users, 16, seconds) for users in (1, 16)]
    return [tier, warm, *sustained], starts + more_starts


if __name__ == "__main__":
    main()
