"""Data directories that the service's account can reach, and processes that open them."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents_store.embedded.account import service_account
from tests.integration.embedded.processes import Spawn, open_parent, openers, unavailable


@pytest.fixture
def parent() -> Iterator[Path]:
    """A directory that every user may enter."""
    with open_parent() as directory:
        yield directory


@pytest.fixture
def data_dir(parent: Path) -> Path:
    """Where a data directory can be made; it is not there yet."""
    return parent / "data"


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start processes that open a data directory."""
    with openers() as spawn:
        yield spawn


@pytest.fixture
def root() -> None:
    """For what only root can arrange."""
    if os.geteuid() != 0:
        unavailable("needs root")


@pytest.fixture
def nobody(root: None) -> pwd.struct_passwd:
    """An ordinary user."""
    return pwd.getpwnam("nobody")


@pytest.fixture
def owner_uid() -> int:
    """The uid that a data directory of ours belongs to."""
    return service_account().uid
