"""`zoneinfo` from time zone data that was read into memory before the wall closed."""

import zoneinfo
from collections.abc import Iterator
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any, Self

__all__ = ["ZoneInfo", "available_timezones"]

_data: dict[str, bytes] = {}
_zones: dict[tuple[type, str], Any] = {}


class ZoneInfo(zoneinfo.ZoneInfo):
    """`zoneinfo.ZoneInfo` by key; the same object for the same key."""

    def __new__(cls, key: str) -> Self:
        """Raises ZoneInfoNotFoundError when there is no such zone, or no zone at all, on this machine."""
        zone: Self | None = _zones.get((cls, key))
        if zone is None:
            zone = _zones[cls, key] = cls.no_cache(key)
        return zone

    @classmethod
    def no_cache(cls, key: str) -> Self:
        """Another object for the same zone."""
        data = _data.get(key)
        if data is None:
            missing = "this machine has no time zone data" if not _data else f"No time zone found with key {key}"
            raise zoneinfo.ZoneInfoNotFoundError(missing)
        return super().from_file(BytesIO(data), key=key)

    @classmethod
    def from_file(cls, fobj: Any, /, key: str | None = None) -> Self:
        """Not available. Raises NotImplementedError."""
        raise NotImplementedError("ZoneInfo.from_file is not available: use ZoneInfo(key)")

    @classmethod
    def clear_cache(cls, *, only_keys: Any = None) -> None:
        """Zones stay in memory."""

    def __reduce__(self) -> Any:
        return (type(self), (self.key,))

    def __repr__(self) -> str:
        return f"zoneinfo.ZoneInfo(key={self.key!r})"


def available_timezones() -> set[str]:
    """The keys of every zone."""
    return set(_data)


def load_zones() -> None:
    """Read every zone's data, about 0.5 MB. Without any on the machine every key will be unknown."""
    shared: dict[bytes, bytes] = {}  # half of the keys are other names of the same zone
    for key in zoneinfo.available_timezones():
        for data in _candidates(key):
            _data[key] = shared.setdefault(data, data)
            break


def _candidates(key: str) -> Iterator[bytes]:
    for root in zoneinfo.TZPATH:
        path = Path(root, key)
        if path.is_file():
            yield path.read_bytes()
    package, _, name = f"tzdata.zoneinfo/{key}".rpartition("/")
    yield resources.files(package.replace("/", ".")).joinpath(name).read_bytes()
