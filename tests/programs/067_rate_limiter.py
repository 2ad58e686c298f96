"""Compare a token bucket and a sliding-log rate limiter on an injected clock."""

from abc import ABC, abstractmethod
from collections import defaultdict, deque


class ManualClock:
    def __init__(self, start=0.0):
        self._now = start

    def __call__(self):
        return self._now

    def advance_to(self, moment):
        if moment < self._now:
            raise ValueError("time runs forward only")
        self._now = moment


class Limiter(ABC):
    def __init__(self, clock):
        self._clock = clock
        self.stats = {"allowed": 0, "denied": 0}

    def allow(self, user):
        verdict = self._decide(user, self._clock())
        self.stats["allowed" if verdict else "denied"] += 1
        return verdict

    @abstractmethod
    def _decide(self, user, now):
        raise NotImplementedError


class TokenBucket(Limiter):
    def __init__(self, clock, *, rate, burst):
        super().__init__(clock)
        self._rate, self._burst = rate, burst
        self._buckets = {}

    def _decide(self, user, now):
        tokens, last = self._buckets.get(user, (self._burst, now))
        tokens = min(self._burst, tokens + (now - last) * self._rate)
        allowed = tokens >= 1
        self._buckets[user] = (tokens - allowed, now)
        return allowed


class SlidingLog(Limiter):
    def __init__(self, clock, *, limit, window):
        super().__init__(clock)
        self._limit, self._window = limit, window
        self._log = defaultdict(deque)

    def _decide(self, user, now):
        log = self._log[user]
        while log and log[0] <= now - self._window:
            log.popleft()
        if len(log) >= self._limit:
            return False
        log.append(now)
        return True


def run(inputs):
    clock = ManualClock()
    limiters = {"bucket": TokenBucket(clock, rate=0.5, burst=2), "log": SlidingLog(clock, limit=2, window=3)}
    marks = {name: "" for name in limiters}
    for moment, user in inputs["requests"]:
        clock.advance_to(moment)
        for name, limiter in limiters.items():
            marks[name] += "." if limiter.allow(user) else "x"
    try:
        clock.advance_to(0)
    except ValueError as e:
        refused = str(e)
    return {"marks": marks, "stats": {n: l.stats for n, l in limiters.items()}, "refused": refused}

# inputs: {"requests": [[0, "a"], [0.5, "a"], [1, "a"], [1, "b"], [2, "a"], [3, "a"], [3.5, "a"], [3.6, "a"], [8, "a"], [8, "a"], [8, "a"]]}
# expect: {"marks": {"bucket": "..x..xxx..x", "log": "..x.x..x..x"}, "stats": {"bucket": {"allowed": 6, "denied": 5}, "log": {"allowed": 7, "denied": 4}}, "refused": "time runs forward only"}
