"""What can be asked for on the command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sandbox.types import Tier

ABOUT = "What runs cost on this machine, as multiples of a bare interpreter start in the same run."


class Group(StrEnum):
    """What can be measured by itself."""

    ALONE = "alone"
    WARM = "warm"
    FIRST = "first"
    SUSTAINED1 = "sustained1"
    SUSTAINED16 = "sustained16"
    BURST = "burst"
    FLOOD = "flood"
    GROWTH = "growth"
    MEMORY = "memory"
    PEERS = "peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One call of the command. `tiers` None is every tier that there is; `given` measures nothing but takes a file."""

    calls: int
    seconds: float
    tiers: Sequence[Tier] | None
    only: frozenset[Group]
    peers: int
    json: bool
    out: Path | None
    page: Path | None
    compare: Path | None
    factor: float
    given: Path | None


def read_options(arguments: Sequence[str]) -> Options:
    """Exits with a message when they are wrong."""
    parser = argparse.ArgumentParser(prog="glovebox bench", description=ABOUT)
    parser.add_argument("--calls", type=int, default=2000, help="calls per latency row")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each sustained row lasts")
    parser.add_argument("--tiers", type=Tier, nargs="+", metavar="TIER", help="tiers to measure; all that there are")
    parser.add_argument(
        "--only",
        type=_read_groups,
        default=frozenset(Group),
        metavar="GROUPS",
        help=f"what to measure, by commas, of {', '.join(Group)}; all",
    )
    parser.add_argument("--peers", type=int, default=30, metavar="N", help="calls of each other way to run code")
    parser.add_argument("--json", action="store_true", help="print data to compare instead of a table")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the data there")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page there, and its plot beside it")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="data of an earlier run to compare with")
    parser.add_argument(
        "--factor", type=float, default=1.2, help="by how much a median may be worse than the earlier one"
    )
    parser.add_argument(
        "--from", type=Path, dest="given", metavar="FILE", help="measure nothing, take the data of an earlier run"
    )
    return Options(**vars(parser.parse_args(arguments)))


def _read_groups(text: str) -> frozenset[Group]:
    return frozenset(Group(name.strip()) for name in text.split(","))
