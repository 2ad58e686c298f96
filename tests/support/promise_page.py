"""Results of the checks, as a file of JSON and as the page that people read. Run it to write the page from the file."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from tests.support.promises import AREAS, CHECKS, Check

RESULTS = Path(__file__).resolve().parents[2] / "docs/promises.json"
Form = Literal["fast", "long"]
Figure = int | float | str
Verdict = Literal["held", "held in part", "broken", "not shown"]

HEAD = """\
# What Glovebox promises, and what the checks of it came to

Written by `make promises` (the forms that are quick enough for every change) and `make promises FORM=long` (those at
full size). What they found is in [promises.json](promises.json), of which this page is made; nobody edits it by hand.

- Every check is a set of tests; the registry of what belongs to which is `tests/support/promises.py`.
- A **control** is the same check on a set-up that is weak on purpose: where it does not fail, the check proves nothing.
  The tests of controls pass when that failure was seen.
- *fast* is the form that every change has to pass, *long* the one at full size. Where both ran, the long one is shown.
- A commit with a plus: that commit with what was about to be committed.
- **Bold** ids are those of which none may be missed.
- What happens under faults is in [faults.md](faults.md), under hours of load in [soak.md](soak.md).
"""


class NodeResult(BaseModel):
    """What came of one test in one form, over all its parameters."""

    date: str
    commit: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0
    figures: dict[str, list[Figure]] = Field(default_factory=dict)


class Results(BaseModel):
    """The file: results by test and form, and the machine that the last ones come from."""

    machine: str = ""
    nodes: dict[str, dict[Form, NodeResult]] = Field(default_factory=dict)

    def best(self, node: str) -> tuple[Form, NodeResult] | None:
        """The largest form that was run."""
        forms = self.nodes.get(node, {})
        for form in ("long", "fast"):
            if form in forms:
                return form, forms[form]
        return None


def node_of(nodeid: str) -> str:
    """A test without its parameters."""
    return nodeid.partition("[")[0]


def page_beside(path: Path) -> Path:
    return path.with_suffix(".md")


@contextmanager
def results_locked(path: Path) -> Iterator[Results]:
    """The results of a file, which are written back at the end; one process at a time."""
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        results = Results.model_validate_json(text) if text else Results()
        yield results
        results.nodes = dict(sorted(results.nodes.items()))
        file.truncate(0)
        file.write(results.model_dump_json(indent=1) + "\n")


def write_page(results: Results, path: Path) -> None:
    path.write_text(render(results), encoding="utf-8")


def verdict(check: Check, results: Results) -> Verdict:
    """Held when every test and control of the check ran and passed, and nothing is short of what it asks for."""
    found = {node: results.best(node) for node in check.nodes}
    if any(best is not None and best[1].failed for best in found.values()):
        return "broken"
    wanted = [found[node] for node in check.tests + check.controls]
    if not check.tests or any(best is None or not best[1].passed for best in wanted):
        return "not shown"
    return "held in part" if check.short_of else "held"


def render(results: Results) -> str:
    verdicts = {check.id: verdict(check, results) for check in CHECKS}
    counts = {name: list(verdicts.values()).count(name) for name in ("held", "held in part", "broken", "not shown")}
    must = [check.id for check in CHECKS if check.pass_mark]
    short = [name for name in must if verdicts[name] != "held"]
    summary = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    parts = [
        HEAD,
        f"{len(CHECKS)} checks: {summary}. Of the {len(must)} of which none may be missed, "
        + ("all are held." if not short else f"these are not held whole: {', '.join(short)}.")
        + f"\nMachine: {results.machine}.\n",
    ]
    for letter, title in AREAS.items():
        of_area = [check for check in CHECKS if check.id.startswith(letter)]
        parts.append(f"## {title}\n\n| id | checked | expected | result | control |\n|---|---|---|---|---|")
        parts.append("\n".join(_row(check, verdicts[check.id], results) for check in of_area) + "\n")
    return "\n".join(parts)


def _row(check: Check, verdict: Verdict, results: Results) -> str:
    name = f"**{check.id}**" if check.pass_mark else check.id
    tests = f"<br>{_links(check.tests + check.at_full_size)}"
    result = f"**{verdict}**{_told(check.tests + check.at_full_size, results)}"
    if any(results.best(node) is None for node in check.at_full_size):
        result += "<br>Not run at full size here"
    if check.short_of:
        result += f"<br>Short of the whole: {check.short_of}"
    control = "—"
    if check.control:
        control = check.control + _told(check.controls, results) + f"<br>{_links(check.controls)}"
    return f"| {name} | {check.says}{tests} | {check.expected} | {result} | {control} |"


def _told(nodes: Sequence[str], results: Results) -> str:
    """Form, counts, figures, date and commit of some tests together."""
    best = [found for node in nodes if (found := results.best(node)) is not None]
    if not best:
        return ""
    forms = "/".join(sorted({form for form, _ in best}))
    counts = {name: sum(getattr(result, name) for _, result in best) for name in ("passed", "failed", "skipped")}
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    merged: dict[str, list[Figure]] = {}
    for _, result in best:
        for name, values in result.figures.items():
            merged.setdefault(name, []).extend(values)
    figures = [_figure(name, values) for name, values in merged.items()]
    stamp = max(best, key=lambda found: found[1].date)[1]
    return f"<br>{'; '.join([f'{forms}: {told}', *figures])}<br>{stamp.date}, {stamp.commit}"


def _figure(name: str, values: list[Figure]) -> str:
    spread = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    text = str(spread[0]) if len(spread) == 1 else f"{spread[0]} to {spread[-1]}"
    return f"{name.replace('_', ' ')}: {text}"


def _links(nodes: Sequence[str]) -> str:
    files = dict.fromkeys(node.partition("::")[0] for node in nodes)
    return ", ".join(f"[{Path(file).stem.removeprefix('test_')}](../{file})" for file in files)


if __name__ == "__main__":
    write_page(Results.model_validate_json(RESULTS.read_text(encoding="utf-8")), page_beside(RESULTS))
