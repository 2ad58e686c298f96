"""Whether a program wants packages imported ahead for it."""

import re
import sys

from sandbox.guest.container_modules import LARGE_MODULES

_IMPORT = re.compile(r"(?:^|[;:])[ \t]*(from|import)[ \t]+([^\n;#]+)", re.MULTILINE)


def imports_packages(source: str) -> bool:
    """Whether a source seems to import anything beyond the standard library, or one of its large modules.

    A guess by its text: where it is wrong, the run imports what it wants by itself, or has more at hand than it uses.
    """
    return any(
        name in LARGE_MODULES or name not in sys.stdlib_module_names
        for keyword, rest in _IMPORT.findall(source)
        for name in _top_level_names(keyword, rest)
    )


def _top_level_names(keyword: str, rest: str) -> list[str]:
    parts = rest.split(",") if keyword == "import" else [rest]
    words = [part.split() for part in parts]
    return [found[0].partition(".")[0] for found in words if found]
