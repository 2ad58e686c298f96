"""`glovebox bench`: the measurements of a checkout's `bench` package."""

import importlib.util
import runpy
import sys
from pathlib import Path

import typer

import server
from server.cli.errors import CliError


def bench(context: typer.Context) -> None:
    """Measure a run's cost on this machine, as multiples of a bare interpreter start. Options go to `bench`."""
    checkout = Path(server.__file__).resolve().parents[1]
    if not (checkout / "bench" / "__main__.py").is_file():
        raise CliError(
            "the measurements are part of the source, not of the installed package",
            hint="run `glovebox bench` from a checkout of the repository",
        )
    if importlib.util.find_spec("bench") is None:
        sys.path.insert(0, str(checkout))
    sys.argv = ["bench", *context.args]
    runpy.run_module("bench", run_name="__main__", alter_sys=True)
