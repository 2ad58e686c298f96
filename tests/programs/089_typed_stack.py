"""Generic containers with type variables, bounds and a protocol, and a bracket checker on top."""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")
R = TypeVar("R")


@runtime_checkable
class Sized(Protocol):
    def __len__(self) -> int: ...


class EmptyStack(IndexError):
    """Nothing left to pop."""


class Stack(Generic[T]):
    def __init__(self, *items: T) -> None:
        self._items: list[T] = list(items)

    def push(self, item: T) -> "Stack[T]":
        self._items.append(item)
        return self

    def pop(self) -> T:
        if not self._items:
            raise EmptyStack("pop from an empty stack")
        return self._items.pop()

    @property
    def top(self) -> T | None:
        return self._items[-1] if self._items else None

    def map(self, func: Callable[[T], R]) -> "Stack[R]":
        return Stack[R](*map(func, self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return reversed(self._items)

    def __repr__(self) -> str:
        return f"Stack({', '.join(repr(i) for i in self._items)})"


PAIRS: dict[str, str] = {")": "(", "]": "[", "}": "{", ">": "<"}


def first_problem(text: str) -> str | None:
    open_: Stack[tuple[int, str]] = Stack()
    for position, ch in enumerate(text):
        if ch in PAIRS.values():
            open_.push((position, ch))
        elif ch in PAIRS:
            try:
                _, opened = open_.pop()
            except EmptyStack:
                return f"{ch} at {position} closes nothing"
            if opened != PAIRS[ch]:
                return f"{ch} at {position} closes {opened}"
    return None if not open_ else f"{open_.top[1]} at {open_.top[0]} is never closed"


def run(inputs):
    numbers: Stack[int] = Stack(1, 2).push(3)
    return {
        "problems": {text: first_problem(text) for text in inputs["texts"]},
        "mapped": repr(numbers.map(lambda n: "x" * n)),
        "order": list(numbers),
        "sized": [isinstance(o, Sized) for o in (numbers, 5)],
        "total": sum(numbers),
    }

# inputs: {"texts": ["f(a[1], {2})", "f(a[1)]", "((", "}", "<b>(x)</b>", ""]}
# expect: {"problems": {"f(a[1], {2})": null, "f(a[1)]": ") at 5 closes [", "((": "( at 1 is never closed", "}": "} at 0 closes nothing", "<b>(x)</b>": null, "": null}, "mapped": "Stack('x', 'xx', 'xxx')", "order": [3, 2, 1], "sized": [true, false], "total": 6}
