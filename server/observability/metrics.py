"""What one server process counts about itself. No label ever names a user, an agent or a run."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.registry import Collector

OTHER = "other"
LOST = "lost"
REJECTED = "rejected"

# From a warm call's own steps, below a millisecond, to the highest ceiling of a run.
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class Phase(StrEnum):
    """The steps of a call that are timed, in their order."""

    WAIT = "wait"  # for a place among the live runs
    BEGIN = "begin"
    SANDBOX = "sandbox"
    FINISH = "finish"


class Children:
    """The children of one counter by their labels' values, looked up in a tenth of the library's own time."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._known: dict[tuple[str, ...], Counter] = {}

    def __getitem__(self, values: tuple[str, ...]) -> Counter:
        """The child of these values. There are few: none of them is what a caller made up."""
        child = self._known.get(values)
        if child is None:
            child = self._known[values] = self._counter.labels(*values)
        return child


class RunCount:
    """One begun run, counted when its block is left: as lost, unless it was told otherwise."""

    __slots__ = ("_charge_microcredits", "_metrics", "_outcome", "_test", "_tier")

    def __init__(self, metrics: "Metrics", tier: str, *, test: bool) -> None:
        self._metrics = metrics
        self._tier = tier
        self._test = test
        self._outcome = LOST
        self._charge_microcredits = 0

    def __enter__(self) -> Self:
        """The run is live."""
        self._metrics.runs_live += 1
        return self

    def __exit__(self, *_: object) -> None:
        """The run ended."""
        self._metrics.runs_live -= 1
        self._metrics.run_ended(self._outcome, self._tier, self._charge_microcredits, test=self._test)

    def ended(self, outcome: str, reason: str | None, charge_microcredits: int) -> None:
        """Take note of how the run was stored. One that failed through us counts as lost."""
        self._outcome = LOST if reason == LOST else outcome
        self._charge_microcredits = charge_microcredits


class Metrics:
    """The counters of one application, in a registry of its own.

    Attributes:
        runs_live: runs that began here and have not been settled.
    """

    def __init__(self) -> None:
        self.runs_live = 0
        self.registry = CollectorRegistry(auto_describe=False)
        self._runs = self._counters("runs", "Runs that ended, by how they were stored.", "outcome", "tier", "test")
        self._charged = self._counter("credits_charged_microcredits", "Microcredits that runs were charged.")
        self._rejections = self._counter("policy_rejections", "Programs that the policy refused.")
        self._refusals = self._counters("auth_failures", "Callers who did not prove who they are.", "reason")
        self._requests = self._counters("requests", "HTTP requests that were answered.", "method", "route", "status")
        seconds = Histogram(
            "glovebox_run_seconds", "Steps of calls.", ("phase",), buckets=_SECONDS, registry=self.registry
        )
        self._seconds = {phase.value: seconds.labels(phase.value) for phase in Phase}

    def add(self, collector: Collector) -> None:
        """Show what `collector` reads whenever somebody asks."""
        self.registry.register(collector)

    def run(self, tier: str, *, test: bool) -> RunCount:
        """A block for one begun run, which is counted however the block is left."""
        return RunCount(self, tier, test=test)

    def run_ended(self, outcome: str, tier: str, charge_microcredits: int, *, test: bool) -> None:
        """Count one run."""
        self._runs[outcome, tier, "true" if test else "false"].inc()
        if charge_microcredits:
            self._charged.inc(charge_microcredits)
        if outcome == REJECTED:
            self._rejections.inc()

    def timed(self, laps_ms: Mapping[str, float]) -> None:
        """Record how long the steps of one call took, in milliseconds; those that are no phase are passed over."""
        for name, ms in laps_ms.items():
            if (seconds := self._seconds.get(name)) is not None:
                seconds.observe(ms / 1000)

    def request(self, method: str, route: str | None, status: int | None) -> None:
        """Count one request by the path that its route was declared with, None where no route took it."""
        self._requests[
            method if method in _METHODS else OTHER,
            route or "none",
            "none" if status is None else f"{status // 100}xx",
        ].inc()

    def refused_caller(self, reason: str) -> None:
        """Count a caller who proved nothing, by which check said no."""
        self._refusals[reason,].inc()

    def rejected_program(self) -> None:
        """Count a program that the policy refused before it was stored."""
        self._rejections.inc()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"glovebox_{name}", text, labels, registry=self.registry)

    def _counters(self, name: str, text: str, *labels: str) -> Children:
        return Children(self._counter(name, text, *labels))
