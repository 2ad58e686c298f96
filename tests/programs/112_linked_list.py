"""A doubly linked list that behaves like a sequence and supports in-place editing."""

from collections.abc import MutableSequence
from typing import Any, Iterable


class _Node:
    __slots__ = ("value", "before", "after")

    def __init__(self, value: Any = None):
        self.value = value
        self.before: "_Node" = self
        self.after: "_Node" = self


class LinkedList(MutableSequence):
    """Nodes form a ring that is closed by an empty node."""

    def __init__(self, items: Iterable = ()):
        self.__ring = _Node()
        self.__length = 0
        self.extend(items)

    def __len__(self):
        return self.__length

    def _node(self, index):
        if index < 0:
            index += self.__length
        if not 0 <= index < self.__length:
            raise IndexError(f"index {index} outside 0..{self.__length - 1}")
        node = self.__ring
        for _ in range(index + 1):
            node = node.after
        return node

    def __getitem__(self, index):
        return self._node(index).value

    def __setitem__(self, index, value):
        self._node(index).value = value

    def __delitem__(self, index):
        node = self._node(index)
        node.before.after, node.after.before = node.after, node.before
        self.__length -= 1

    def insert(self, index, value):
        node = _Node(value)
        node.after = self.__ring if index >= self.__length else self._node(index)
        node.before = node.after.before
        node.before.after = node.after.before = node
        self.__length += 1

    def __repr__(self):
        return " <-> ".join(str(v) for v in self) or "(empty)"


def run(inputs):
    items = LinkedList(inputs["items"])
    steps = [repr(items)]
    for action, *args in inputs["actions"]:
        try:
            result = getattr(items, action)(*args)
        except (IndexError, ValueError) as exc:
            result = type(exc).__name__
        steps.append(repr(items) if result is None else f"{items!r} => {result}")
    items[0] = "first"
    items += ["x", "y"]
    del items[-1]
    return {"steps": steps, "final": list(items), "back": [items[-i] for i in (1, 2)], "has": "x" in items, "empty": repr(LinkedList())}

# inputs: {"items": ["b", "d"], "actions": [["insert", 0, "a"], ["insert", 2, "c"], ["append", "e"], ["pop"], ["pop", 0], ["index", "d"], ["remove", "z"], ["reverse"], ["pop", 9], ["count", "b"]]}
# expect: {"steps": ["b <-> d", "a <-> b <-> d", "a <-> b <-> c <-> d", "a <-> b <-> c <-> d <-> e", "a <-> b <-> c <-> d => e", "b <-> c <-> d => a", "b <-> c <-> d => 2", "b <-> c <-> d => ValueError", "d <-> c <-> b", "d <-> c <-> b => IndexError", "d <-> c <-> b => 1"], "final": ["first", "c", "b", "x"], "back": ["x", "b"], "has": true, "empty": "(empty)"}
