"""Secrets are sealed for one place, and open with any of the operator's keys, there alone."""

import base64
import os
import stat
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from server.auth.errors import AuthMisconfiguredError
from server.gloves.secret_box import KEY_FILE_NAME, SecretBox, SecretUnreadableError, build_secret_box
from server.settings import Settings

USER, AGENT = uuid4(), uuid4()
OLD, NEW = os.urandom(32), os.urandom(32)


def settings(tmp_path: Path, **changes: object) -> Settings:
    own = {"data_dir": tmp_path, "database_url": None, "supabase_url": None, "secrets_keys": None}
    return Settings(_env_file=None, **(own | changes))  # type: ignore[arg-type]


def encoded(*keys: bytes) -> str:
    return ",".join(base64.b64encode(key).decode() for key in keys)


def test_secret_opens_where_it_was_sealed() -> None:
    box = SecretBox([OLD])
    sealed = box.seal(USER, AGENT, "TOKEN", ["a.example"], "värde")

    assert box.open(USER, AGENT, sealed) == "värde"
    assert "värde".encode() not in sealed.ciphertext
    assert sealed != box.seal(USER, AGENT, "TOKEN", ["a.example"], "värde")


def test_secret_opens_nowhere_else() -> None:
    box = SecretBox([OLD])
    sealed = box.seal(USER, AGENT, "TOKEN", ["a.example"], "value")

    for user, agent, moved in (
        (uuid4(), AGENT, sealed),
        (USER, uuid4(), sealed),
        (USER, AGENT, replace(sealed, name="OTHER")),
        (USER, AGENT, replace(sealed, hosts=["a.example", "evil.example"])),
        (USER, AGENT, replace(sealed, nonce=bytes(12))),
        (USER, AGENT, replace(sealed, ciphertext=sealed.ciphertext[:-1] + b"\0")),
    ):
        with pytest.raises(SecretUnreadableError):
            box.open(user, agent, moved)


def test_older_keys_open_and_the_first_one_seals() -> None:
    sealed = SecretBox([OLD]).seal(USER, AGENT, "TOKEN", ["a.example"], "value")
    both = SecretBox([NEW, OLD])

    anew = both.reseal(USER, AGENT, sealed)

    assert both.open(USER, AGENT, sealed) == "value"
    assert anew.key_id == SecretBox([NEW]).key_id != sealed.key_id
    assert SecretBox([NEW]).open(USER, AGENT, anew) == "value"
    with pytest.raises(SecretUnreadableError, match="GLOVEBOX_SECRETS_KEYS"):
        SecretBox([NEW]).open(USER, AGENT, sealed)


def test_data_directory_keeps_a_private_key(tmp_path: Path) -> None:
    one, other = build_secret_box(settings(tmp_path)), build_secret_box(settings(tmp_path))

    assert one is not None
    assert other is not None
    assert other.open(USER, AGENT, one.seal(USER, AGENT, "TOKEN", ["a.example"], "value")) == "value"
    assert stat.S_IMODE((tmp_path / KEY_FILE_NAME).stat().st_mode) == 0o600


def test_key_file_that_is_damaged_or_open_is_refused(tmp_path: Path) -> None:
    build_secret_box(settings(tmp_path))
    (tmp_path / KEY_FILE_NAME).write_bytes(b"short")
    with pytest.raises(AuthMisconfiguredError, match="damaged"):
        build_secret_box(settings(tmp_path))
    (tmp_path / KEY_FILE_NAME).chmod(0o644)

    with pytest.raises(AuthMisconfiguredError):
        build_secret_box(settings(tmp_path))


def test_database_of_its_own_wants_keys_from_the_operator(tmp_path: Path) -> None:
    elsewhere = settings(tmp_path, database_url="postgresql://x")

    assert build_secret_box(elsewhere) is None
    assert build_secret_box(settings(tmp_path, database_url="postgresql://x", secrets_keys=encoded(NEW, OLD)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keys", ["", "x", encoded(b"short"), encoded(NEW) + ",", encoded(NEW)[:-2] + "!="])
def test_what_is_no_key_is_refused_without_repeating_it(tmp_path: Path, keys: str) -> None:
    with pytest.raises(AuthMisconfiguredError) as refused:
        build_secret_box(settings(tmp_path, secrets_keys=keys))

    assert not keys or keys not in str(refused.value)
    assert refused.value.__cause__ is None
