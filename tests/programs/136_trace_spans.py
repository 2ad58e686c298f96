"""Record nested spans of work with context managers on a fake clock and render a trace."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Iterator, Optional


class FakeClock:
    def __init__(self) -> None:
        self.ms = 0

    def work(self, ms: int) -> None:
        self.ms += ms


@dataclass
class Span:
    name: str
    started: int
    ended: Optional[int] = None
    error: str = ""
    children: list["Span"] = field(default_factory=list)

    @property
    def took(self) -> int:
        return (self.ended or self.started) - self.started

    @property
    def own(self) -> int:
        return self.took - sum(c.took for c in self.children)

    def render(self, depth: int = 0) -> Iterator[str]:
        suffix = f" !{self.error}" if self.error else ""
        yield f"{'  ' * depth}{self.name} {self.took}ms (own {self.own}){suffix}"
        for child in self.children:
            yield from child.render(depth + 1)


class Tracer:
    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._stack: list[Span] = [Span("root", clock.ms)]

    @contextmanager
    def span(self, name: str) -> Iterator[Span]:
        span = Span(name, self._clock.ms)
        self._stack[-1].children.append(span)
        self._stack.append(span)
        try:
            yield span
        except ArithmeticError as exc:
            span.error = type(exc).__name__
            raise
        finally:
            span.ended = self._clock.ms
            self._stack.pop()

    def finish(self) -> Span:
        (root,) = self._stack
        root.ended = self._clock.ms
        return root


def run(inputs):
    clock = FakeClock()
    tracer = Tracer(clock)
    with tracer.span("load") as load, tracer.span("parse"):
        clock.work(inputs["parse"])
    clock.work(1)
    try:
        with tracer.span("compute"):
            for n in inputs["divisors"]:
                with tracer.span(f"divide by {n}"):
                    clock.work(10 // n)
    except ZeroDivisionError:
        clock.work(2)
    return {"trace": list(tracer.finish().render()), "load": load.took}

# inputs: {"parse": 5, "divisors": [2, 5, 0, 1]}
# expect: {"trace": ["root 15ms (own 3)", "  load 5ms (own 0)", "    parse 5ms (own 5)", "  compute 7ms (own 0) !ZeroDivisionError", "    divide by 2 5ms (own 5)", "    divide by 5 2ms (own 2)", "    divide by 0 0ms (own 0) !ZeroDivisionError"], "load": 5}
