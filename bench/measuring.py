"""Everything that is measured, in its order: each part on its own server, so that none leaves anything to the next."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.bare_start import Yardstick
from bench.burst import burst_settings, measure_burst
from bench.docker_peers import measure_docker_peers
from bench.flood import measure_floods
from bench.growth import measure_growth
from bench.http_calls import Server, measure_first_calls, measure_sustained, measure_warm, running_server
from bench.memory import measure_memory
from bench.options import Group, Options
from bench.plain_peers import measure_bare_route, measure_fresh_interpreter, measure_smolagents
from bench.samples import Row, summarise
from bench.tiers import available_tiers, measure_tier
from sandbox.types import Tier
from server.settings import Settings

FIRST_CALLS = 30
FIRST_CALL_REST_S = 1.5
SUSTAINED = {Group.SUSTAINED1: 1, Group.SUSTAINED16: 16}  # users
OVER_HTTP = {Group.WARM, Group.FIRST, *SUSTAINED}
GROWTH_CALLS_MAX = 1000


def measure_all(options: Options, scratch: Path) -> Iterator[Row]:
    """The rows that were asked for, the bare start of all of them last."""
    settings = _settings(options, scratch)
    yardstick = Yardstick()
    yield from _measure_ours(settings, options, scratch, yardstick)
    if Group.PEERS in options.only:
        yield from _measure_others(settings, options, scratch, yardstick)
    if not yardstick.starts_s:
        yardstick.measure()
    yield summarise("bare-start", "bare start", yardstick.starts_s, starts_s=yardstick.starts_s)


def _settings(options: Options, scratch: Path) -> Settings:
    """A server's that has nothing of this machine's but its engine, with the tiers that there are."""
    settings = Settings(
        data_dir=scratch / "data",
        database_url=None,
        supabase_url=None,
        tiers=tuple(options.tiers or Tier),
        log_format="json",
        log_level="warning",
    )
    available = asyncio.run(available_tiers(settings))
    for tier in sorted(set(settings.tiers) - set(available)):
        _note(f"{tier} is left out: `glovebox doctor` says what it needs")
    return settings.model_copy(update={"tiers": available})


def _measure_ours(settings: Settings, options: Options, scratch: Path, yardstick: Yardstick) -> Iterator[Row]:
    if Group.ALONE in options.only:
        for tier in settings.tiers:
            yield asyncio.run(measure_tier(settings, tier, options.calls, yardstick))
    if OVER_HTTP.intersection(options.only):
        with running_server(settings) as server:
            for tier in settings.tiers:
                yield from _measure_over_http(server, tier, options, yardstick)
    if Group.BURST in options.only and Tier.DOCKER in settings.tiers:
        with running_server(burst_settings(settings, scratch / "burst")) as server:
            yield measure_burst(server)
    if Group.FLOOD in options.only:
        yield from measure_floods(settings, options.calls, scratch)
    if Group.MEMORY in options.only:
        for tier in settings.tiers:
            yield from asyncio.run(measure_memory(settings, tier))
    if Group.GROWTH in options.only:
        calls = min(options.calls, GROWTH_CALLS_MAX)
        yield from measure_growth(settings, settings.tiers[0], calls, yardstick, scratch)


def _measure_over_http(server: Server, tier: Tier, options: Options, yardstick: Yardstick) -> Iterator[Row]:
    if Group.WARM in options.only:
        yield measure_warm(server, tier, options.calls, yardstick)
    if Group.FIRST in options.only and tier is Tier.DOCKER:
        yield measure_first_calls(server, tier, FIRST_CALLS, FIRST_CALL_REST_S, yardstick)
    for group, users in SUSTAINED.items():
        if group in options.only:
            yield measure_sustained(server, tier, users, options.seconds)


def _measure_others(settings: Settings, options: Options, scratch: Path, yardstick: Yardstick) -> Iterator[Row]:
    yield measure_fresh_interpreter(options.peers, scratch, yardstick)
    yield from measure_bare_route(options.calls, options.seconds, yardstick)
    yield from _if_there("smolagents", lambda: iter([measure_smolagents(options.peers, scratch, yardstick)]))
    if Tier.DOCKER in settings.tiers:
        yield from _if_there(
            "what others do with containers", lambda: measure_docker_peers(settings, options.peers, scratch, yardstick)
        )


def _if_there(what: str, measure: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    """Rows of things that may not be installed, or cannot be."""
    try:
        yield from measure()
    except (OSError, subprocess.SubprocessError) as exc:
        _note(f"{what} is left out from here on: {exc}")


def _note(line: str) -> None:
    sys.stderr.write(f"{line}\n")
