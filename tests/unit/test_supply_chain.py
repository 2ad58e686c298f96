"""What the product is built of: pinned by hash, installed as pinned, under licences that were agreed to, and listed.

Run this file to write the bill of materials anew.
"""

import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from server.app import VERSION

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (
    "requirements.lock",
    "requirements-build.lock",
    "requirements-dev.lock",
    "sandbox/docker/image/requirements.txt",
)
BILL = ROOT / "docs/sbom.json"
# By SPDX: permissive ones, and those that ask something only of who changes the library itself.
AGREED = frozenset(
    (
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "PSF-2.0", "ZPL-2.1"),
        *("Zlib", "LGPL-3.0-only", "MPL-2.0"),
    )
)
# What packages write where SPDX has another word, and what they name by a classifier alone.
SPELLINGS = {
    "Apache 2": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)==([^\s\\;]+)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def requirements(lock: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes by name. Raises ValueError at a requirement that is not pinned."""
    found = {}
    for logical in re.sub(r"\\\n", " ", re.sub(r"#.*", "", lock)).splitlines():
        if not logical.strip() or logical.startswith("--"):
            continue
        pinned = REQUIREMENT.match(logical)
        if pinned is None:
            raise ValueError(f"not pinned: {logical}")
        found[pinned[1]] = (pinned[2], len(HASH.findall(logical)))
    return found


def licences(about: Any) -> set[str]:
    """SPDX ids of a package, by its expression, its classifiers or its first line of licence, in this order."""
    if expression := about.get("License-Expression"):
        return set(re.split(r" (?:AND|OR) ", expression))
    classified = [
        name.rpartition(" :: ")[2] for name in about.get_all("Classifier") or () if name.startswith("License")
    ]
    told = [(about.get("License") or "").strip().partition("\n")[0]]
    named = classified or re.split(r" (?:AND|OR) ", told[0])
    return {SPELLINGS.get(name, name) for name in named}


def locked(path: str) -> dict[str, tuple[str, int]]:
    return requirements((ROOT / path).read_text(encoding="utf-8"))


def bill() -> str:
    """The product's bill of materials, CycloneDX 1.6."""
    components = [
        {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version}",
            "licenses": [{"license": {"id": each}} for each in sorted(licences(metadata.metadata(name)))],
        }
        for name, (version, _) in sorted(locked("requirements.lock").items())
    ]
    product = {"type": "application", "name": "glovebox", "version": VERSION}
    whole = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": product},
        "components": components,
    }
    return json.dumps(whole, indent=1) + "\n"


@pytest.mark.parametrize("path", LOCKS)
def test_every_requirement_is_pinned_by_hash(path: str) -> None:
    found = locked(path)

    assert found
    assert [name for name, (_, hashes) in found.items() if not hashes] == []


def test_what_is_installed_is_what_is_pinned() -> None:
    pinned = {**locked("requirements-build.lock"), **locked("requirements-dev.lock"), **locked("requirements.lock")}

    assert {name: metadata.version(name) for name in pinned} == {name: version for name, (version, _) in pinned.items()}


def test_every_licence_is_one_that_was_agreed_to() -> None:
    found = {name: licences(metadata.metadata(name)) for name in locked("requirements.lock")}

    assert {name: named for name, named in found.items() if not named or not named <= AGREED} == {}


def test_bill_of_materials_is_up_to_date() -> None:
    assert BILL.read_text(encoding="utf-8") == bill(), f"python {Path(__file__).relative_to(ROOT)}"


def test_weak_lock_and_unknown_licence_are_found() -> None:
    """The control."""
    about = {"License-Expression": "MIT AND AGPL-3.0-only"}

    with pytest.raises(ValueError, match="not pinned: a>=1"):
        requirements("a>=1\n")
    assert requirements("a==1 \\\n    --hash=sha256:00\nb==2 \\\n  --hash=sha256:" + "0" * 64) == {
        "a": ("1", 0),
        "b": ("2", 1),
    }
    assert licences(about) - AGREED == {"AGPL-3.0-only"}


if __name__ == "__main__":
    BILL.write_text(bill(), encoding="utf-8")
