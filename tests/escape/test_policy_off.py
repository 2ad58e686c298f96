"""The kernel wall alone, with the language policy switched off: programs are plain CPython and know where to look."""

import asyncio
import platform

import pytest

from sandbox.types import Outcome
from tests.escape.canaries import ENVIRONMENT_NAME, planted, run_without_wall
from tests.escape.corpus import read_hostile
from tests.escape.sandboxes import NO_POLICY, OWN_UID, SHARED_UID, Run, opened, runner
from tests.escape.wall_acts import ACTS, CONTROLS, RAW, program_of
from tests.support.figures import Record
from tests.support.processes import descendants_of, settle, zygote_pid

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("name", ACTS)
async def test_no_act_gets_through_the_wall(run_plain: Run, name: str) -> None:
    if name in RAW and platform.machine() != "x86_64":
        pytest.skip("system call numbers of x86_64")
    with planted() as canaries:
        result = await run_plain(program_of(name), canaries.inputs)

        assert result.outcome in (Outcome.SUCCEEDED, Outcome.FAILED), result
        assert canaries.touched(result) == []
        if result.outcome == Outcome.SUCCEEDED:
            assert isinstance(result.value, dict)
            assert result.value["got"] is None, result.value
    assert (await run_plain("def run():\n    return 'unharmed'")).value == "unharmed"


@pytest.mark.parametrize("name", CONTROLS)
async def test_same_act_succeeds_without_the_wall(name: str) -> None:
    """The control: as a plain process the same program reaches its canary."""
    with planted() as canaries:
        got = await asyncio.to_thread(run_without_wall, program_of(name), canaries.inputs)

        assert got is not None


async def test_corpus_reaches_no_canary_without_the_policy(run_plain: Run, record_property: Record) -> None:
    zygote = zygote_pid(NO_POLICY, SHARED_UID)
    record_property("programs", len(read_hostile()))
    with planted() as canaries:
        for program in read_hostile():
            result = await run_plain(program.source, canaries.inputs)

            assert isinstance(result.outcome, Outcome)
            assert (result.error is None) == (result.outcome == Outcome.SUCCEEDED)
            assert canaries.touched(result) == [], program.name
    assert zygote_pid(NO_POLICY, SHARED_UID) == zygote
    assert (await run_plain("def run():\n    return 'unharmed'")).value == "unharmed"


OUTLIVING: dict[str, str] = {
    "forks away": "pid = os.fork()\n        if pid == 0:\n            while True: time.sleep(1)",
    "clones away": "libc.syscall(56, 17, 0, 0, 0, 0)",
    "starts a daemon thread": "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "forgets its parent": "libc.prctl(1, 0, 0, 0, 0)",
    "ignores every signal": "[signal.signal(number, signal.SIG_IGN) for number in (1, 2, 3, 15)]",
    "leaves its session": "os.setsid()",
    "stays after its exit": "atexit.register(time.sleep, 60)",
}


@pytest.mark.parametrize("act", OUTLIVING)
async def test_nothing_outlives_its_run(act: str) -> None:
    source = (
        "import atexit, ctypes, os, signal, threading, time\nlibc = ctypes.CDLL(None)\ndef run():\n    try:\n"
        f"        {OUTLIVING[act]}\n    except (OSError, RuntimeError):\n        pass\n    return 'done'"
    )
    async with opened(NO_POLICY, pool_size=1) as own:
        await settle(lambda: len(descendants_of(zygote_pid(NO_POLICY, OWN_UID))) == 1, 2)

        await runner(own)(source)

        await settle(lambda: len(descendants_of(zygote_pid(NO_POLICY, OWN_UID))) == 1, 1)


# Reads whatever lies behind `NAME=` in every page near the environment, the stack and the heap that madvise(2) finds.
MEMORY_SEARCH = """
import ctypes, mmap
libc = ctypes.CDLL(None, use_errno=True)
PAGE, REACH, MADV_POPULATE_READ = mmap.PAGESIZE, 8 << 20, 22
def mapped(page):
    return libc.madvise(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), MADV_POPULATE_READ) == 0
def near(address):
    start = max(PAGE, address - REACH) // PAGE * PAGE
    return [page for page in range(start, start + 2 * REACH, PAGE) if mapped(page)]
def run(inputs):
    needle = inputs["name"][::-1].encode() + b"="
    local = ctypes.c_int(0)
    places = [ctypes.c_void_p.in_dll(libc, "environ").value, ctypes.addressof(local), id(needle)]
    pages = sorted({page for place in places for page in near(place)})
    tail = b""
    for page in filter(mapped, pages):  # again: the search itself gives memory back
        text = tail + ctypes.string_at(page, PAGE)
        for part in text.split(needle)[1:]:
            if part[:32].decode(errors="replace")[::-1] == inputs["mirrored"]:
                return {"got": "found", "pages": len(pages)}
        tail = text[-256:]
    return {"got": None, "pages": len(pages)}
"""


async def test_server_environment_is_nowhere_in_the_memory_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with planted() as canaries:
        monkeypatch.setenv(ENVIRONMENT_NAME, canaries.token)
        async with opened(NO_POLICY, pool_size=1) as own:
            result = await runner(own)(MEMORY_SEARCH, canaries.inputs)

        assert isinstance(result.value, dict), result.error
        assert result.value["got"] is None
        assert result.value["pages"] > 100


async def test_same_search_finds_the_environment_of_a_plain_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: inherited, the canary is found."""
    with planted() as canaries:
        monkeypatch.setenv(ENVIRONMENT_NAME, canaries.token)

        got = await asyncio.to_thread(run_without_wall, MEMORY_SEARCH, canaries.inputs)

        assert got == "found"
