"""`python -m tests.soak`: a soak on this machine, and the page that tells of it."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from tests.soak.page import render
from tests.soak.plan import Plan
from tests.soak.run import soak

MINUTES_MAX = 50.0  # the members' tokens live an hour


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=15.0, help=f"how long the load goes on, {MINUTES_MAX:.0f} at most"
    )
    parser.add_argument(
        "--share", type=float, default=0.7, help="of the rate that the machine gives when asked for all"
    )
    parser.add_argument("--page", type=Path, help="write the page here, and beside it its figures as .json")
    arguments = parser.parse_args()
    if not 0 < arguments.minutes <= MINUTES_MAX or not 0 < arguments.share <= 1:
        parser.error("out of range")
    seconds = arguments.minutes * 60
    plan = Plan(seconds, arguments.share, sample_s=min(60.0, seconds / 15), pause_s=min(40.0, seconds / 12))
    for number in (signal.SIGINT, signal.SIGTERM):  # either way nothing stays behind, also where a shell ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    done = asyncio.run(soak(plan))
    text = render(done.record)
    print(text)  # noqa: T201 - what the command is for
    if arguments.page:
        arguments.page.with_suffix(".json").write_text(json.dumps(done.record, indent=1) + "\n")
        arguments.page.write_text(text)
    sys.exit(0 if done.held else 1)


if __name__ == "__main__":
    main()
