"""What commands print: results on stdout, talk on stderr, nothing that could steer a terminal."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

# Controls that reorder text: with them, what is shown is not what is there (CVE-2021-42574).
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """The text with control and reordering characters written out as escapes; newline and tab stay."""
    return "".join(char if _is_plain(char) else f"\\u{ord(char):04x}" for char in text)


def _is_plain(char: str) -> bool:
    return char in "\n\t" or (unicodedata.category(char) not in {"Cc", "Cs"} and char not in _REORDERING)


def line(text: str = "") -> None:
    """Print one line of the result."""
    typer.echo(plain(text))


def note(text: str) -> None:
    """Say something to the person at the terminal; never part of the result."""
    typer.echo(plain(text), err=True)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """JSON as it is printed: valid, readable, and safe to show on a terminal."""
    # Inside JSON such characters occur in strings only, where an escape means the same.
    return plain(json.dumps(value, ensure_ascii=False, indent=indent))


def json_object(value: Any) -> None:
    """Print one JSON value: on one line for programs, indented for people."""
    typer.echo(as_json(value, indent=2 if sys.stdout.isatty() else None))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under a heading: in aligned columns on a terminal, tab-separated elsewhere."""
    cells = [list(columns), *([" ".join(plain(_cell(value)).split()) for value in row] for row in rows)]
    if not sys.stdout.isatty():
        for row in cells:
            typer.echo("\t".join(row))
        return
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (value + " " * (width - cell_len(value)) for value, width in zip(row, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())


def fields(pairs: Iterable[tuple[str, Any]]) -> None:
    """Print one thing as aligned `name  value` lines, in the order given."""
    rows = [(name, _cell(value)) for name, value in pairs]
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        line(f"{name:<{width}}  {value}")


def emphasis(text: str, *, style: str, stream: TextIO) -> None:
    """Print a line in a style where the stream is a terminal that wants colour (NO_COLOR is honoured)."""
    Console(file=stream, soft_wrap=True, highlight=False).print(Text(plain(text), style=style))


def credits_text(microcredits: int) -> str:
    """Microcredits as credits, exact: `1234567` is `1.234567`."""
    whole, part = divmod(abs(microcredits), 1_000_000)
    sign = "-" if microcredits < 0 else ""
    return f"{sign}{whole}.{part:06d}"


def moment(text: str) -> str:
    """A moment as an answer has it, to the second: `2026-05-04 09:12:00Z`."""
    return f"{text[:19].replace('T', ' ')}Z"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
