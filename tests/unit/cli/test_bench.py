"""`glovebox bench` says so where there is nothing to run."""

from pathlib import Path
from typing import Any, cast

import pytest

import server
from server.cli.bench import bench
from server.cli.errors import CliError


def test_without_a_checkout_it_says_where_the_measurements_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "__file__", str(tmp_path / "site-packages/server/__init__.py"))

    with pytest.raises(CliError, match="not of the installed package") as refused:
        bench(cast(Any, None))

    assert "checkout" in str(refused.value.hint)
