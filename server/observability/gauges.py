"""What is read from the parts of a server only when somebody asks: it costs a call nothing."""

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from agents_store.store import Store
from sandbox.abilities import Stocked
from sandbox.tiers import Tiers
from server.invocations.admission import Admission
from server.leases import Lease
from server.observability.metrics import Metrics


@runtime_checkable
class Pooled(Protocol):
    """A store that keeps connections."""

    @property
    def connections(self) -> Mapping[str, int]:
        """How many there are, by state: `idle`, `used`, and `waiting` for the callers that have none."""


class Gauges(Collector):
    """How the parts of one server stand at this moment."""

    def __init__(self, metrics: Metrics, lease: Lease, admission: Admission, store: Store, tiers: Tiers) -> None:
        self._metrics = metrics
        self._lease = lease
        self._admission = admission
        self._store = store
        self._tiers = tiers

    def collect(self) -> Iterator[Metric]:
        """Every gauge, read now."""
        yield _gauge("runs_live", "Runs that began here and have not been settled.", self._metrics.runs_live)
        yield _gauge("calls_waiting", "Calls that wait for a place.", self._admission.waiting)
        yield _gauge(
            "lease_seconds_left",
            "How long this server's lease surely lasts; not above 0 when it may have run out.",
            round(self._lease.seconds_left, 3),
        )
        yield CounterMetricFamily(
            "glovebox_reaped_runs", "Runs of dead servers that this one ended.", value=self._lease.reaped_runs
        )
        yield from self._tiers_now()
        if isinstance(self._store, Pooled):
            yield _gauges("db_pool", "Connections to the database.", self._store.connections)

    def _tiers_now(self) -> Iterator[Metric]:
        ready = GaugeMetricFamily("glovebox_tier_ready", "Whether a tier can run programs now.", labels=("tier",))
        children = GaugeMetricFamily(
            "glovebox_sandbox_children", "What programs run in, by tier and state.", labels=("tier", "state")
        )
        for tier in self._tiers.offered:
            missing = self._tiers.missing(tier)
            ready.add_metric((tier.value,), 0 if missing else 1)
            sandbox = None if missing else self._tiers.get(tier)
            if isinstance(sandbox, Stocked):
                for state, count in sandbox.children.items():
                    children.add_metric((tier.value, state), count)
        yield ready
        yield children


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"glovebox_{name}", text, value=value)


def _gauges(name: str, text: str, states: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(f"glovebox_{name}", text, labels=("state",))
    for state, count in states.items():
        family.add_metric((state,), count)
    return family
