"""What must be true of servers and their database once a fault is over, whatever the fault was."""

from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.processes import Caller, Process
from tests.acceptance.running import eventually
from tests.faults.books import Books, assert_books_close
from tests.faults.load import Answers, assert_recovers
from tests.faults.matrix import Row
from tests.support.database import Database
from tests.support.processes import descendants_of

# What comes and goes by itself: connections of the pool, the next child that is being forked, helpers of a full pool.
DESCRIPTORS_SLACK, PROCESSES_SLACK, THREADS_SLACK = 10, 2, 16


@dataclass(frozen=True, slots=True)
class Possessions:
    """What a server process has, with all processes below it."""

    descriptors: int
    threads: int
    processes: int
    files: frozenset[str]

    @classmethod
    def of(cls, server: Process, temporary: Path | None = None) -> "Possessions":
        own = Path(f"/proc/{server.popen.pid}")
        return cls(
            sum(1 for _ in (own / "fd").iterdir()),
            sum(1 for _ in (own / "task").iterdir()),
            len(below(server.popen.pid)),
            frozenset(map(str, temporary.rglob("*"))) if temporary is not None else frozenset(),
        )

    def beyond(self, before: "Possessions") -> list[str]:
        """What there is now and was not before, above what comes and goes by itself."""
        counted = (
            ("descriptors", self.descriptors - before.descriptors, DESCRIPTORS_SLACK),
            ("threads", self.threads - before.threads, THREADS_SLACK),
            ("processes", self.processes - before.processes, PROCESSES_SLACK),
            ("temporary files", len(self.files - before.files), 0),
        )
        return [f"{more} {name}" for name, more, slack in counted if more > slack]


def below(pid: int) -> set[int]:
    """All processes below one, zombies too: nobody else asks about them."""
    return set(descendants_of(pid, zombies=True))


async def assert_ended(processes: set[int]) -> None:
    """None of these is there any more."""

    async def ended() -> bool:
        return not any(map(_is_there, processes))

    await eventually(ended)


def _is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def tell_books(row: Row, database: Database) -> Books:
    books = await assert_books_close(database)
    row.sums = f"agree: {books.granted:,} - {books.charged:,} - 0 = {books.available:,}"
    row.holds = "0"
    row.runs = f"{books.runs} ended, each once"
    return books


async def tell_recovery(row: Row, server: Process, user: Caller, agent_name: str = "echo") -> float:
    took_s = await assert_recovers(server, user, agent_name)
    row.back_after = f"{took_s:.1f} s"
    return took_s


async def tell_nothing_left(row: Row, server: Process, before: Possessions, temporary: Path | None = None) -> None:
    """The server has no more than it had before."""
    left: list[str] = []

    async def gone() -> bool:
        left[:] = Possessions.of(server, temporary).beyond(before)
        return not left

    try:
        await eventually(gone)
    except TimeoutError:
        raise AssertionError(f"left behind: {left}") from None
    row.left = "nothing"


def tell_callers(row: Row, answers: Answers) -> None:
    counted = ", ".join(f"{status} x {count}" for status, count in sorted(answers.statuses.items()))
    row.callers = f"{counted}; slowest {answers.slowest_s:.1f} s"
