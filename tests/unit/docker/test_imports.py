"""Whether a source wants packages, by its text."""

import pytest

from sandbox.docker.imports import imports_packages


@pytest.mark.parametrize(
    "source",
    [
        "import numpy",
        "import json, numpy as np",
        "from pandas.core import frame",
        "def run():\n    import yaml\n    return 1",
        "import os; import numpy",
        "try: import numpy\nexcept ImportError: pass",
        "import asyncio",
        "from multiprocessing.pool import ThreadPool",
    ],
)
def test_packages_are_seen(source: str) -> None:
    assert imports_packages(source)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "import",
        "import json, os.path as p  # import numpy",
        "from collections.abc import Mapping",
        "# import numpy",
        "important = 1\nfrom_numpy = 2",
        "def run():\n    return 'numpy'",
    ],
)
def test_the_standard_library_is_no_package(source: str) -> None:
    assert not imports_packages(source)
