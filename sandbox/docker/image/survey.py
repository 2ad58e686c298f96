"""Runs inside the image while it is built: writes down which packages it has and which modules can be imported ahead.

The guest imports those modules once, so that no run pays for it. The standard library alone is used here.
"""

import importlib
import json
import sys
import time
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

# Imported by their packages only when they are first used.
LAZY_MODULES = ("dateutil.parser", "dateutil.rrule", "matplotlib.pyplot", "matplotlib.backends.backend_agg")


def importable() -> list[str]:
    """The modules of the image's packages that could be imported, in that order."""
    top_level = sorted(name for name in packages_distributions() if name.isidentifier() and not name.startswith("_"))
    wanted = [*top_level, *(name for name in LAZY_MODULES if name.partition(".")[0] in top_level)]
    return [name for name in wanted if _imports(name)]


def _imports(name: str) -> bool:
    started = time.monotonic()
    try:
        importlib.import_module(name)
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - it may fail in any way; the run that wants it is told then
        sys.stdout.write(f"{name} is not imported ahead: {type(exc).__name__}: {exc}\n")
        return False
    sys.stdout.write(f"{name} imported in {time.monotonic() - started:.2f} s\n")
    return True


if __name__ == "__main__":
    installed = {distribution.metadata["Name"]: distribution.version for distribution in distributions()}
    found = {"packages": dict(sorted(installed.items())), "modules": importable()}
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")
