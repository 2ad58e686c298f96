"""Versions of the engine and of runc that are known to let a container out, as data."""

import re
from dataclasses import dataclass

Release = tuple[int, int, int]

_RELEASE = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(-rc\.?(\d+))?")


@dataclass(frozen=True, slots=True)
class Advisory:
    """A hole, and the first release of each line that is without it; lines above the newest one are without it too.

    Source: the security advisories of opencontainers/runc, moby/moby and moby/buildkit.
    """

    names: str
    what: str
    fixed_in: tuple[Release, ...]


RUNC_ADVISORIES = (
    Advisory("CVE-2021-30465", "a symlink race mounts the host's file system", ((1, 0, 0),)),
    Advisory("CVE-2024-21626", "a leaked descriptor reaches the host's file system", ((1, 1, 12),)),
    Advisory("CVE-2024-45310", "a race makes empty files on the host", ((1, 1, 14), (1, 2, 0))),
    Advisory(
        "CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881",
        "races around masked paths give write access to the host's /proc",
        ((1, 2, 8), (1, 3, 3), (1, 4, 0)),
    ),
)
ENGINE_ADVISORIES = (
    Advisory("CVE-2021-41091", "the engine's data directory is open to every user of the host", ((20, 10, 9),)),
    Advisory("CVE-2022-24769", "containers start with inheritable capabilities", ((20, 10, 14),)),
    Advisory("CVE-2022-36109", "supplementary groups are set up wrongly", ((20, 10, 18),)),
    Advisory(
        "CVE-2024-23651, CVE-2024-23652 and CVE-2024-23653",
        "a hostile build reaches the host's file system",
        ((24, 0, 9), (25, 0, 2)),
    ),
)


def advisories_against(version: str, known: tuple[Advisory, ...]) -> tuple[Advisory, ...]:
    """Which of the known holes a version has by its number alone; none where the number cannot be read.

    A distribution may have mended its build without changing that number.
    """
    release = _read_release(version)
    return () if release is None else tuple(advisory for advisory in known if not _is_fixed(release, advisory))


def is_rebuilt(version: str) -> bool:
    """Whether the number is a distribution's own, such as `1.1.5+ds1`, so that fixes may be in without showing."""
    return any(mark in version for mark in ("+", "~", "ubuntu", "deb", ".el", ".fc"))


def _is_fixed(release: Release, advisory: Advisory) -> bool:
    of_its_line = [fixed for fixed in advisory.fixed_in if fixed[:2] == release[:2]]
    return release >= (of_its_line[0] if of_its_line else max(advisory.fixed_in))


def _read_release(version: str) -> Release | None:
    found = _RELEASE.match(version)
    if found is None:
        return None
    major, minor, patch, candidate, _ = found.groups()
    release = (int(major), int(minor), int(patch or 0))
    # A release candidate comes before its release, so the fixes of that release may not be in.
    return (release[0], release[1], release[2] - 1) if candidate else release
