"""Schedule tasks with a heap of ordered dataclasses and lazy cancellation."""

import heapq
import itertools
from dataclasses import dataclass, field
from typing import Any


@dataclass(order=True)
class Task:
    priority: int
    sequence: int
    name: str = field(compare=False)
    payload: Any = field(default=None, compare=False, repr=False)
    cancelled: bool = field(default=False, compare=False, repr=False)


class TaskQueue:
    _counter = itertools.count(1)

    def __init__(self):
        self._heap = []
        self._by_name = {}

    def push(self, name, priority=5, payload=None):
        if name in self._by_name:
            self.cancel(name)
        task = Task(priority, next(self._counter), name, payload)
        self._by_name[name] = task
        heapq.heappush(self._heap, task)
        return task

    def cancel(self, name):
        task = self._by_name.pop(name)
        task.cancelled = True

    def pop(self):
        while self._heap:
            task = heapq.heappop(self._heap)
            if not task.cancelled:
                del self._by_name[task.name]
                return task
        raise LookupError("queue is empty")

    def __len__(self):
        return len(self._by_name)

    def __bool__(self):
        return len(self) > 0


def run(inputs):
    queue = TaskQueue()
    for name, priority in inputs["tasks"]:
        queue.push(name, priority, payload={"words": name.split("-")})
    for name in inputs["cancel"]:
        try:
            queue.cancel(name)
        except KeyError:
            queue.push(f"complain-{name}", priority=0)
    first = repr(Task(1, 1, "a")), Task(1, 2, "b") < Task(1, 3, "a")
    waiting = len(queue)
    done = []
    while queue:
        task = queue.pop()
        done.append([task.priority, task.name, len(task.payload["words"]) if task.payload else 0])
    try:
        queue.pop()
    except LookupError as error:
        done.append(str(error))
    return {"waiting": waiting, "done": done, "task": first}

# inputs: {"tasks": [["send-mail", 5], ["back-up", 2], ["tidy", 9], ["pay-the-bills", 2], ["tidy", 1]], "cancel": ["send-mail", "paint"]}
# expect: {"waiting": 4, "done": [[0, "complain-paint", 0], [1, "tidy", 1], [2, "back-up", 2], [2, "pay-the-bills", 3], "queue is empty"], "task": ["Task(priority=1, sequence=1, name='a')", true]}
