"""A data directory is ours alone, or refused with what to do; nothing above it is touched."""

import asyncio
import os
import pwd
import stat
from pathlib import Path

import pytest

from agents_store.embedded import EmbeddedPostgres, data_dir_owner, prepare_data_dir, read_or_create_private_file
from agents_store.errors import StoreMisconfiguredError
from tests.integration.embedded.processes import Spawn


def rights(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_mode, status.st_uid, status.st_gid


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_missing_directory_is_made_for_the_account_alone(data_dir: Path, owner_uid: int) -> None:
    prepare_data_dir(data_dir)

    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert data_dir_owner(data_dir)[0] == owner_uid


def test_preparing_again_changes_nothing(data_dir: Path) -> None:
    prepare_data_dir(data_dir)
    before = rights(data_dir), names_in(data_dir)

    prepare_data_dir(data_dir)

    assert (rights(data_dir), names_in(data_dir)) == before


async def test_no_directory_above_is_touched(parent: Path) -> None:
    above = [parent / "kept", *parent.parents]
    above[0].mkdir(mode=0o711)
    before = [rights(path) for path in above]

    async with EmbeddedPostgres(above[0] / "data"):
        pass

    assert [rights(path) for path in above] == before


def test_missing_directories_above_get_the_rights_that_the_umask_gives(parent: Path) -> None:
    previous = os.umask(0o026)
    try:
        prepare_data_dir(parent / "made/data")
    finally:
        os.umask(previous)

    assert stat.S_IMODE((parent / "made").stat().st_mode) == 0o751
    assert (parent / "made").stat().st_uid == os.geteuid()


def test_an_empty_directory_is_taken_over(data_dir: Path, owner_uid: int) -> None:
    data_dir.mkdir(mode=0o755)

    prepare_data_dir(data_dir)

    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert data_dir.stat().st_uid == owner_uid


@pytest.mark.parametrize("holding", [[], ["file"]])
def test_somebody_elses_directory_is_refused(data_dir: Path, holding: list[str], nobody: pwd.struct_passwd) -> None:
    data_dir.mkdir(mode=0o755)
    for name in holding:
        (data_dir / name).touch()
    os.chown(data_dir, nobody.pw_uid, nobody.pw_gid)
    before = rights(data_dir)

    with pytest.raises(StoreMisconfiguredError, match=f"belongs to uid {nobody.pw_uid}.*--data-dir"):
        prepare_data_dir(data_dir)
    assert rights(data_dir) == before


def test_a_directory_that_holds_something_else_is_refused(data_dir: Path, owner_uid: int) -> None:
    data_dir.mkdir(mode=0o700)
    (data_dir / "thesis.tex").touch()
    if os.geteuid() == 0:
        os.chown(data_dir, owner_uid, -1)

    with pytest.raises(StoreMisconfiguredError, match="not Glovebox's"):
        prepare_data_dir(data_dir)
    assert names_in(data_dir) == ["thesis.tex"]


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
def test_a_directory_that_everybody_may_write_is_refused(data_dir: Path, mode: int) -> None:
    data_dir.mkdir()
    data_dir.chmod(mode)

    with pytest.raises(StoreMisconfiguredError, match="written by other users"):
        prepare_data_dir(data_dir)
    assert stat.S_IMODE(data_dir.stat().st_mode) == mode


def test_a_link_is_refused_and_its_target_left_alone(data_dir: Path) -> None:
    target = data_dir.parent / "target"
    target.mkdir(mode=0o755)
    data_dir.symlink_to(target)
    before = rights(target)

    with pytest.raises(StoreMisconfiguredError, match="not a link"):
        prepare_data_dir(data_dir)
    assert rights(target) == before
    assert names_in(target) == []


def test_a_file_is_refused(data_dir: Path) -> None:
    data_dir.touch()

    with pytest.raises(StoreMisconfiguredError, match="must be a directory"):
        prepare_data_dir(data_dir)


@pytest.mark.parametrize("below", ["data", "deeper/data"])
def test_a_directory_below_one_that_the_account_cannot_enter_is_refused(parent: Path, below: str, root: None) -> None:
    closed = parent / "closed"
    closed.mkdir(mode=0o700)
    before = rights(closed)

    with pytest.raises(StoreMisconfiguredError, match=rf"{closed} cannot be entered.*chmod o\+x {closed}"):
        prepare_data_dir(closed / below)
    assert rights(closed) == before
    assert names_in(closed) == []


def test_a_directory_below_one_that_lets_the_account_through_is_accepted(
    parent: Path, owner_uid: int, root: None
) -> None:
    (parent / "group").mkdir(mode=0o710)
    os.chown(parent / "group", 0, pwd.getpwuid(owner_uid).pw_gid)

    prepare_data_dir(parent / "group/data")

    assert (parent / "group/data").is_dir()


async def test_a_path_too_long_for_a_socket_is_refused(parent: Path) -> None:
    longest = parent / ("x" * (107 - len(f"{parent}//s/.s.PGSQL.5432")))
    async with EmbeddedPostgres(longest):
        pass

    with pytest.raises(StoreMisconfiguredError, match=r"107 bytes.*shorter --data-dir"):
        await EmbeddedPostgres(longest.with_name(longest.name + "x")).open()


async def test_preparations_at_once_agree(data_dir: Path) -> None:
    await asyncio.gather(*(asyncio.to_thread(prepare_data_dir, data_dir) for _ in range(8)))

    assert names_in(data_dir) == ["glovebox-data"]


async def test_all_who_make_a_private_file_at_once_get_the_same(data_dir: Path, owner_uid: int) -> None:
    prepare_data_dir(data_dir)
    candidates = [f"candidate {number}".encode() for number in range(8)]
    got = await asyncio.gather(
        *(asyncio.to_thread(read_or_create_private_file, data_dir, "key", candidate) for candidate in candidates)
    )

    assert len(set(got)) == 1
    assert got[0] in candidates
    assert names_in(data_dir) == ["glovebox-data", "key"]
    assert rights(data_dir / "key")[:2] == (stat.S_IFREG | 0o600, owner_uid)


def test_a_private_file_that_others_can_read_is_refused(data_dir: Path) -> None:
    prepare_data_dir(data_dir)
    read_or_create_private_file(data_dir, "key", b"secret")
    (data_dir / "key").chmod(0o640)

    with pytest.raises(StoreMisconfiguredError, match="chmod 600"):
        read_or_create_private_file(data_dir, "key", b"other")


@pytest.mark.parametrize("name", ["passwords.json", "users.lock", "start.lock", "postgres.log"])
async def test_no_link_in_the_directory_is_followed(data_dir: Path, name: str) -> None:
    prepare_data_dir(data_dir)
    precious = data_dir.parent / "precious"
    precious.write_text("untouched")
    (data_dir / name).symlink_to(precious)
    before = rights(precious)

    with pytest.raises(StoreMisconfiguredError):
        await EmbeddedPostgres(data_dir).open()
    assert precious.read_text() == "untouched"
    assert rights(precious) == before


def test_an_ordinary_user_keeps_everything_as_its_own(parent: Path, spawn: Spawn, nobody: pwd.struct_passwd) -> None:
    os.chown(parent, nobody.pw_uid, nobody.pw_gid)
    opener = spawn(parent / "data", user="nobody")
    answer = opener.answer()
    owners = {path.lstat().st_uid for path in (parent / "data").rglob("*")}

    assert "glovebox_login" in answer["login_url"]
    assert owners == {nobody.pw_uid}
    assert not (parent / "data").stat().st_mode & 0o077
    opener.close()

    again = spawn(parent / "data", user="nobody")
    assert again.answer()["login_url"] == answer["login_url"]
    again.close()


def test_an_ordinary_user_is_refused_the_directory_of_another(
    data_dir: Path, spawn: Spawn, nobody: pwd.struct_passwd
) -> None:
    prepare_data_dir(data_dir)
    answer = spawn(data_dir, user="nobody").answer()

    assert answer["error"] == "StoreMisconfiguredError"
    assert "--data-dir" in answer["message"]


def test_an_ordinary_user_who_may_not_make_the_directory_is_told(
    data_dir: Path, spawn: Spawn, nobody: pwd.struct_passwd
) -> None:
    answer = spawn(data_dir, user="nobody").answer()

    assert answer["error"] == "StoreMisconfiguredError"
    assert "Permission denied" in answer["message"]
