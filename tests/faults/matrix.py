"""The fault matrix: what each fault was seen to do, and the page that says so."""

import json
import os
import platform
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

NOT_SHOWN = "**not shown**"
INTRODUCTION = """# Fault matrix

What was done to running servers from outside, and what was true afterwards. Written by a command from the results of
the tests in `tests/faults`, never by hand:

```
make faults         # the fast forms, some minutes
make faults-long    # the long forms as well, a quarter of an hour
```

Rows that a run did not see anew stay as they were; delete `faults.json` to begin with none.

| column | shows |
|---|---|
| callers | what the load that went on meanwhile was answered; a 503 has `Retry-After`, or is the outcome `lost` |
| sums | grants - charges - holds = balances, in microcredits; each account agrees with its entries as well |
| holds | credits still held |
| runs | each in one final state, with its hold closed once |
| left | what the server had more than before: processes, descriptors, threads, temporary files |
| back after | from the fault's end until calls are answered and `/health/ready` says 200; no server was restarted |
"""


@dataclass
class Row:
    """One fault, and what was seen. What a test does not get to stays `NOT_SHOWN`."""

    group: str
    fault: str
    promised: str
    form: str
    callers: str = NOT_SHOWN
    sums: str = NOT_SHOWN
    holds: str = NOT_SHOWN
    runs: str = NOT_SHOWN
    left: str = NOT_SHOWN
    back_after: str = NOT_SHOWN
    others: str = "-"
    notes: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.group, self.fault, self.form

    @property
    def holds_up(self) -> bool:
        return NOT_SHOWN not in (self.callers, self.sums, self.holds, self.runs, self.left, self.back_after)

    def cells(self) -> Iterable[str]:
        return (
            f"{self.fault} ({self.form})",
            self.promised,
            self.callers,
            self.sums,
            self.holds,
            self.runs,
            self.left,
            self.back_after,
            "; ".join([self.others, *self.notes]).removeprefix("-; "),
        )


NewRow = Callable[[str, str, str], Row]


@dataclass
class Matrix:
    """Rows, and what they were seen on."""

    rows: list[Row] = field(default_factory=list)
    machine: str = ""

    @classmethod
    def read(cls, kept: Path) -> "Matrix":
        """What was written before, if anything was."""
        if not kept.exists():
            return cls()
        found = json.loads(kept.read_text())
        return cls([Row(**row) for row in found["rows"]], found["machine"])

    def add(self, row: Row) -> Row:
        self.rows.append(row)
        return row

    def page(self) -> str:
        shown = sum(row.holds_up for row in self.rows)
        parts = [INTRODUCTION, f"{shown} of {len(self.rows)} rows: everything promised was seen. {self.machine}\n"]
        for group in sorted({row.group for row in self.rows}):
            parts.append(f"## {group}\n")
            parts.append("| fault | promised | callers | sums | holds | runs | left | back after | others, notes |")
            parts.append("|---" * 9 + "|")
            parts += [f"| {' | '.join(row.cells())} |" for row in self.rows if row.group == group]
            parts.append("")
        return "\n".join(parts)

    def write(self, path: Path) -> None:
        """The page, and beside it what it is made of: rows that were not seen anew stay as they were."""
        kept = path.with_suffix(".json")
        rows = {row.key: row for row in (*Matrix.read(kept).rows, *self.rows)}
        merged = Matrix(sorted(rows.values(), key=lambda row: row.key), this_machine())
        _replace(kept, json.dumps(asdict(merged), indent=1) + "\n")
        _replace(path, merged.page())


def this_machine() -> str:
    cores = len(os.sched_getaffinity(0))
    return f"Seen on {cores} cores, Linux {platform.release()}, CPython {platform.python_version()}."


def _replace(path: Path, text: str) -> None:
    made = path.with_name(f"{path.name}.new")
    made.write_text(text)
    made.replace(path)
