"""Turns what the driver raises into this package's errors, by class and SQLSTATE, where it enters."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import DataError, IntegrityError, InterfaceError, OperationalError
from psycopg import Error as DriverError
from psycopg.errors import InsufficientPrivilege, ProgrammingError

from agents_store.errors import SchemaMismatchError, StoreError, StoreMisconfiguredError, StoreUnavailableError

MIGRATE = "run `glovebox db migrate`"


@contextmanager
def translated() -> Iterator[None]:
    """Let nothing of the driver out.

    Raises:
        StoreUnavailableError: connection lost or refused, no connection in time, a timeout, a lock, a deadlock.
        StoreMisconfiguredError: the role lacks a right.
        SchemaMismatchError: a table or function is not there.
        ValueError: a value breaks a constraint, or is nothing that PostgreSQL stores.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as exc:
        raise StoreUnavailableError("the database cannot be reached or is too busy") from exc
    except TimeoutError as exc:
        raise StoreUnavailableError("the database did not answer in time") from exc
    except InsufficientPrivilege as exc:
        raise StoreMisconfiguredError(f"the database role lacks a right: {MIGRATE}") from exc
    except ProgrammingError as exc:
        raise SchemaMismatchError(f"the database's schema does not fit this release: {MIGRATE}") from exc
    except (DataError, IntegrityError) as exc:
        raise ValueError(f"the database refuses this value ({exc.diag.constraint_name or exc.sqlstate})") from exc
    except DriverError as exc:
        raise StoreError("the database failed") from exc
