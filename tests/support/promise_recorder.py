"""A pytest plugin that runs the tests of the promises and writes what came of them: `make promises`.

`pytest -p tests.support.promise_recorder --promises=docs/promises.json` keeps, of whatever it runs, what came of the
tests that a check names; `--promises-only` leaves out all others. That takes the place of what the file had of the same
tests, and the page beside the file is written anew.
"""

import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.promise_page import Form, NodeResult, node_of, page_beside, results_locked, write_page
from tests.support.promises import CHECKS

ROOT = Path(__file__).resolve().parents[2]
_GIT_S_MAX = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--promises", metavar="JSON", type=Path, help="keep what came of the tests of the promises")
    parser.addoption("--promises-only", action="store_true", help="leave out all other tests")


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("--promises"):
        config.pluginmanager.register(Recorder(path), "promise-recorder")


class Recorder:
    """Keeps what came of each test that a check names."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._named = {node for check in CHECKS for node in check.nodes}
        self._found: dict[tuple[str, Form], NodeResult] = {}
        self._stamp = {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "commit": _commit()}

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if not config.getoption("--promises-only"):
            return
        kept = [item for item in items if node_of(item.nodeid) in self._named]
        config.hook.pytest_deselected(items=[item for item in items if node_of(item.nodeid) not in self._named])
        items[:] = kept

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if node_of(report.nodeid) not in self._named:
            return
        form: Form = "long" if "long" in report.keywords else "fast"
        result = self._found.setdefault((node_of(report.nodeid), form), NodeResult(**self._stamp))
        result.seconds = round(result.seconds + report.duration, 1)
        if report.failed:
            result.failed += 1
        elif report.skipped:
            result.skipped += 1
        elif report.when == "call":
            result.passed += 1
            for name, value in report.user_properties:
                assert isinstance(value, (int, float, str)), f"{name} is no figure"
                result.figures.setdefault(name, []).append(value)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Iterator[None]:
        with results_locked(self._path) as results:
            results.machine = _machine()
            for (node, form), result in self._found.items():
                results.nodes.setdefault(node, {})[form] = result
        write_page(results, page_beside(self._path))
        return (yield)


def _commit() -> str:
    """Short name of the commit; with a plus where the tree had more than that."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=_GIT_S_MAX, check=True
        )
        return done.stdout.strip()

    try:
        return git("rev-parse", "--short=7", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _machine() -> str:
    cpus, kernel = os.cpu_count(), platform.release().partition("-")[0]
    return f"{cpus} cores, Linux {kernel}, CPython {platform.python_version()}"
