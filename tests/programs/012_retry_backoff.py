"""Call flaky services through a retry decorator with exponential backoff on an injected clock."""

from functools import wraps
from typing import Callable, Tuple, Type


class TemporaryError(Exception):
    """Worth another attempt."""


class GaveUp(Exception):
    def __init__(self, attempts: int, cause: Exception):
        super().__init__(f"gave up after {attempts} attempts")
        self.attempts = attempts
        self.cause = cause


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


def retry(
    times: int = 3,
    base: float = 0.1,
    on: Tuple[Type[Exception], ...] = (TemporaryError,),
    sleep: Callable[[float], None] = lambda s: None,
):
    def decorate(func):
        @wraps(func)
        def wrapped(*args, **kwargs):
            for attempt in range(1, times + 1):
                try:
                    return func(*args, **kwargs)
                except on as exc:
                    if attempt == times:
                        raise GaveUp(attempt, exc) from exc
                    sleep(base * 2 ** (attempt - 1))
        return wrapped
    return decorate


def make_service(failures: int):
    remaining = failures

    def call(name: str, *, greeting: str = "hello") -> str:
        nonlocal remaining
        if remaining > 0:
            remaining -= 1
            raise TemporaryError(f"{remaining} failures left")
        return f"{greeting} {name}"

    return call


def run(inputs: dict) -> dict:
    clock = FakeClock()
    results = []
    for failures in inputs["failures"]:
        service = retry(times=inputs["times"], sleep=clock.sleep)(make_service(failures))
        try:
            results.append(service("Ada", greeting="hi"))
        except GaveUp as e:
            results.append(f"{e}: {e.cause} ({type(e.__cause__).__name__})")
    return {"results": results, "sleeps": clock.sleeps, "waited": round(clock.now, 3)}

# inputs: {"times": 4, "failures": [0, 2, 5]}
# expect: {"results": ["hi Ada", "hi Ada", "gave up after 4 attempts: 1 failures left (TemporaryError)"], "sleeps": [0.1, 0.2, 0.1, 0.2, 0.4], "waited": 1.0}
