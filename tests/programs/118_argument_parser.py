"""Parse command-line style text into options, flags and positionals by a declared specification."""

import re
from collections import deque
from dataclasses import dataclass
from typing import Any, Callable


class UsageError(Exception):
    """Shown to the user."""


@dataclass
class Option:
    name: str
    kind: Callable[[str], Any] = str
    default: Any = None
    many: bool = False

    @property
    def is_flag(self) -> bool:
        return self.kind is bool


def split(text: str) -> deque[str]:
    words = re.findall(r"""[^\s"']*"[^"]*"|[^\s"']*'[^']*'|\S+""", text)
    return deque(re.sub("[\"']", "", w) for w in words)


class Parser:
    def __init__(self, *options: Option) -> None:
        self._options = {o.name: o for o in options}

    def _match(self, word: str) -> Option:
        match [o for n, o in self._options.items() if n.startswith(word)]:
            case [option]:
                return option
            case []:
                raise UsageError(f"unknown option --{word}")
            case [_, _, *_] as found:
                raise UsageError(f"--{word} could be {' or '.join(o.name for o in found)}")

    def parse(self, text: str) -> dict[str, Any]:
        values = {n: [] if o.many else o.default for n, o in self._options.items()}
        words, rest = split(text), []
        while words:
            word = words.popleft()
            if not word.startswith("--"):
                rest.append(word)
                continue
            name, equals, value = word[2:].partition("=")
            if (option := self._match(name)).is_flag:
                values[option.name] = True
                continue
            try:
                converted = option.kind(value if equals else words.popleft())
            except IndexError:
                raise UsageError(f"--{option.name} needs a value") from None
            except ValueError as exc:
                raise UsageError(f"--{option.name}: {exc}") from exc
            values[option.name] = [*values[option.name], converted] if option.many else converted
        return values | {"rest": rest}


def run(inputs):
    parser = Parser(
        Option("verbose", bool, False), Option("count", int, 1), Option("colour"), Option("tag", many=True),
        Option("ratio", lambda text: round(float(text), 2), 0.5),
    )
    out = []
    for line in inputs["lines"]:
        try:
            out.append({k: v for k, v in parser.parse(line).items() if v not in (None, False, [])})
        except UsageError as exc:
            out.append(f"{exc}" + (f" [{type(exc.__cause__).__name__}]" if exc.__cause__ else ""))
    return {"parsed": out}

# inputs: {"lines": ["copy a.txt --count=3 --verb 'my file.txt'", "--tag x --tag \"y z\" --colour=\"dark red\"", "--co 1", "--size 3", "--count many", "run --ratio", "--ratio .333 run", ""]}
# expect: {"parsed": [{"verbose": true, "count": 3, "ratio": 0.5, "rest": ["copy", "a.txt", "my file.txt"]}, {"count": 1, "colour": "dark red", "tag": ["x", "y z"], "ratio": 0.5}, "--co could be count or colour", "unknown option --size", "--count: invalid literal for int() with base 10: 'many' [ValueError]", "--ratio needs a value", {"count": 1, "ratio": 0.33, "rest": ["run"]}, {"count": 1, "ratio": 0.5}]}
