"""Keep a to-do list through natural commands, with due dates relative to a given day."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@dataclass(order=True)
class Todo:
    due: date
    priority: int
    text: str = field(compare=False)
    done: bool = field(default=False, compare=False)

    def __str__(self):
        return f"[{'x' if self.done else ' '}] {self.text}{'!' * (3 - self.priority)} ({self.due:%d %b})"


class TodoAgent:
    def __init__(self, today):
        self.today = today
        self._items = []
        self._handlers = [
            (re.compile(r"(?:add|remember) (?P<text>.+?)(?: (?P<when>today|tomorrow|in \d+ days|next \w+))?(?P<bang>!*)$"), self._add),
            (re.compile(r"(?:done|finish) (?P<word>\w+)$"), self._finish),
            (re.compile(r"postpone (?P<word>\w+) by (?P<days>\d+)$"), self._postpone),
            (re.compile(r"list(?P<only> open)?$"), self._list),
        ]

    def say(self, line):
        for pattern, handler in self._handlers:
            if m := pattern.match(line.strip().lower()):
                try:
                    return handler(**m.groupdict())
                except LookupError as exc:
                    return f"I found {exc.args[0]}"
        return "I did not understand."

    def _day(self, when):
        match when.split():
            case [("today" | "tomorrow") as word]:
                return self.today + timedelta(word == "tomorrow")
            case ["in", n, "days"]:
                return self.today + timedelta(int(n))
            case ["next", name] if name in WEEKDAYS:
                return self.today + timedelta((WEEKDAYS.index(name) - self.today.weekday() - 1) % 7 + 1)
            case _:
                raise LookupError(f"no day called {when!r}")

    def _find(self, word):
        found = [t for t in self._items if word in t.text.split()]
        if len(found) != 1:
            raise LookupError(f"{len(found) or 'no'} items with {word!r}")
        return found[0]

    def _add(self, text, when, bang):
        self._items.append(item := Todo(self._day(when or "today"), 3 - min(len(bang), 2), text))
        return f"added {item}"

    def _finish(self, word):
        (item := self._find(word)).done = True
        return str(item)

    def _postpone(self, word, days):
        item = self._find(word)
        item.due += timedelta(days=int(days))
        return str(item)

    def _list(self, only):
        return [str(t) for t in sorted(self._items) if not (only and t.done)]


def run(inputs):
    agent = TodoAgent(date.fromisoformat(inputs["today"]))
    return {"replies": [agent.say(line) for line in inputs["lines"]]}

# inputs: {"today": "2024-02-28", "lines": ["add buy milk tomorrow", "remember call mum next wednesday!", "add pay rent in 2 days!!", "Add water plants", "finish milk", "postpone rent by 30", "add sing next someday", "done dance", "list open", "list", "hello"]}
# expect: {"replies": ["added [ ] buy milk (29 Feb)", "added [ ] call mum! (06 Mar)", "added [ ] pay rent!! (01 Mar)", "added [ ] water plants (28 Feb)", "[x] buy milk (29 Feb)", "[ ] pay rent!! (31 Mar)", "I found no day called 'next someday'", "I found no items with 'dance'", ["[ ] water plants (28 Feb)", "[ ] call mum! (06 Mar)", "[ ] pay rent!! (31 Mar)"], ["[ ] water plants (28 Feb)", "[x] buy milk (29 Feb)", "[ ] call mum! (06 Mar)", "[ ] pay rent!! (31 Mar)"], "I did not understand."]}
