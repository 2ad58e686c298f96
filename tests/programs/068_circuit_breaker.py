"""Protect a failing service with a circuit breaker used as a decorator and a context manager."""

import enum
import functools


class State(enum.Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class CircuitOpen(RuntimeError):
    pass


class CircuitBreaker:
    def __init__(self, threshold, recovery, clock):
        self._threshold, self._recovery = threshold, recovery
        self._clock = clock
        self._failures = 0
        self._opened_at = None

    @property
    def state(self):
        if self._opened_at is None:
            return State.CLOSED
        if self._clock() - self._opened_at >= self._recovery:
            return State.HALF_OPEN
        return State.OPEN

    def __enter__(self):
        if self.state is State.OPEN:
            raise CircuitOpen(f"closed again in {self._recovery - (self._clock() - self._opened_at)}")
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        if exc_type is None:
            self._failures = 0
            self._opened_at = None
        elif not issubclass(exc_type, CircuitOpen):
            self._failures += 1
            if self._failures >= self._threshold:
                self._opened_at = self._clock()
        return False

    def __call__(self, func):
        @functools.wraps(func)
        def guarded(*args, **kwargs):
            with self:
                return func(*args, **kwargs)

        return guarded


def run(inputs):
    now = 0
    breaker = CircuitBreaker(threshold=2, recovery=5, clock=lambda: now)

    @breaker
    def fetch(healthy):
        """Pretend to call the service."""
        if healthy:
            return "ok"
        raise ConnectionError("service is down")

    trace = []
    for now, healthy in inputs["calls"]:
        try:
            outcome = fetch(healthy)
        except CircuitOpen as exc:
            outcome = f"skipped ({exc})"
        except ConnectionError as exc:
            outcome = str(exc)
        finally:
            trace.append(f"{now}: {outcome} [{breaker.state.value}]")
    return {"trace": trace, "doc": fetch.__doc__, "lookup": State("open").name}

# inputs: {"calls": [[0, true], [1, false], [2, false], [3, true], [6, true], [7, true], [8, false], [9, false], [15, false], [16, true]]}
# expect: {"trace": ["0: ok [closed]", "1: service is down [closed]", "2: service is down [open]", "3: skipped (closed again in 4) [open]", "6: skipped (closed again in 1) [open]", "7: ok [closed]", "8: service is down [closed]", "9: service is down [open]", "15: service is down [open]", "16: skipped (closed again in 4) [open]"], "doc": "Pretend to call the service.", "lookup": "OPEN"}
