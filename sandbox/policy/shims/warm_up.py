"""Makes the library load what it loads on first use, because behind the wall nothing can be opened."""

import datetime
import encodings
import hashlib
import importlib
import pkgutil
import time
from contextlib import suppress

from sandbox.policy.shims.zones import load_zones

# What library functions import when they are called, and what the interpreter itself does.
_IMPORTED_LATE = ("_strptime", "linecache", "tracemalloc", "warnings")
_WINDOWS_ONLY = frozenset({"mbcs", "oem"})
_SAMPLE = "a\u00e9\u65e5"


def warm_up() -> None:
    """Load all of it."""
    for module in _IMPORTED_LATE:
        importlib.import_module(module)
    _load_encodings()
    _load_hashes()
    _settle_local_time()
    load_zones()


def _load_encodings() -> None:
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in _WINDOWS_ONLY:
            importlib.import_module(f"encodings.{module.name}")
            # Some of the East Asian codecs bring their tables in with the first text.
            with suppress(LookupError, UnicodeError, TypeError, AttributeError, ValueError):
                _SAMPLE.encode(module.name, "replace").decode(module.name, "replace")


def _load_hashes() -> None:
    for name in hashlib.algorithms_available:
        with suppress(ValueError):  # the list names some that this OpenSSL does not offer
            hashlib.new(name, b"")


def _settle_local_time() -> None:
    time.tzset()
    now = time.localtime()
    time.mktime(now)
    for form in ("%c", "%x %X %Z"):
        time.strptime(time.strftime(form, now), form)
    datetime.datetime.now(datetime.UTC).astimezone()
