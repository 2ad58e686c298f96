"""Which files make up the guest of a container, how it is started, and the version that they amount to."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import sandbox

_ROOT = Path(sandbox.__file__).parent
_NAMES = (
    "__init__.py",
    "guest/__init__.py",
    "guest/kernel.py",
    "guest/frames.py",
    "guest/context.py",
    "guest/report.py",
    "guest/exchange.py",
    "guest/container.py",
    "guest/container_fork.py",
    "guest/container_frames.py",
    "guest/container_scratch.py",
    "guest/container_child.py",
    "guest/container_memory.py",
    "guest/container_modules.py",
    "guest/container_output.py",
    "guest/container_repeat.py",
)

# Where the image keeps the guest: `GUEST_FILES` by their paths below this directory.
GUEST_HOME = "/opt/glovebox"
# A file of the image whose JSON names, under "modules", what to import ahead of need; it may be missing.
PRELOAD_FILE = f"{GUEST_HOME}/packages.json"
# Not `-I`: that would ignore PYTHONHASHSEED. `-P` and `-s` keep the rest of the surroundings out of the path.
# As the only further argument, it has the guest import large modules and the image's packages ahead of need, too.
PACKAGES = "packages"
_START = (
    f"import sys; sys.path.append({GUEST_HOME!r}); from sandbox.guest.container import main; "
    f"main({PRELOAD_FILE!r}, packages={PACKAGES!r} in sys.argv)"
)
ENTRYPOINT = ("python3", "-sPB", "-X", "utf8", "-c", _START)

GUEST_FILES: Mapping[str, Path] = {f"sandbox/{name}": _ROOT / name for name in _NAMES}


def _digest() -> str:
    total = sha256(repr((ENTRYPOINT, PRELOAD_FILE)).encode())
    for name, path in GUEST_FILES.items():
        total.update(f"\0{name}\0".encode() + path.read_bytes())
    return total.hexdigest()[:16]


# An image whose guest has another version is refused.
GUEST_VERSION = _digest()
