"""What a run in a session of a worker meets: `ctx`, time, randomness, and the end of its worker."""

import asyncio
import os
import random
import signal
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import SandboxBusyError, TierUnavailableError
from sandbox.monty import MontySandbox
from sandbox.types import GloveError, GloveFault, JsonValue, Limits, Outcome, Program, RunStoppedError, WallKind
from tests.integration.monty.conftest import LIMITS, UID, Run
from tests.support.gloves import FixedGloves

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENDLESS = "def run():\n    while True:\n        pass"


async def answer(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
    """A small world for programs to ask."""
    match glove:
        case "fetch":
            page: dict[str, JsonValue] = {"status": 200, "url": arguments["url"], "headers": {"x-a": "b"}}
            return page | ({"base64": "AP8="} if arguments["method"] == "POST" else {"text": '{"high": 7}'})
        case "memory.get":
            return {"found": arguments["key"] == "known", "value": [1]}
        case "memory.list":
            return ["known"]
        case "memory.search":
            return [{"key": "known", "value": [1], "score": 0.5, "tags": [], "importance": 0.0}]
        case "memory.delete":
            return True
        case "secrets.use":
            return "placeholder"
        case "call":
            return {"called": arguments["agent_name"]}
        case "files.write":
            return {"name": arguments["name"], "size_bytes": 2}
    return None


async def test_ctx_reaches_every_glove_with_the_arguments_of_every_tier(sandbox: MontySandbox) -> None:
    source = """
def run(inputs, ctx):
    page = ctx.fetch("https://a.example", params={"q": 1}, headers={"X": "y"}, json=None)
    raw = ctx.fetch("https://b.example", "POST", data=b"\\x00\\xff")
    ctx.memory.put("k", {"a": [1]}, tags=("x",), importance=0.5)
    found = [ctx.memory.get("known"), ctx.memory.get("unknown", 3), ctx.memory.delete("known")]
    names = ctx.memory.list(prefix="k"), ctx.memory.search("what", limit=1, tags=["t"])
    secret = ctx.secrets.use("token")
    told = ctx.call("other", {"n": 1})
    file = ctx.files.write("a.txt", "hi", media_type="text/plain")
    log = ctx.log
    log("done", page=page.status)
    return [page.json()["high"], page.ok, page.url, page.headers, page.text, list(raw.content), found, names, secret, told, file]
"""  # noqa: E501 - one line of the program
    gloves = FixedGloves(answer=answer)

    result = await sandbox.run(Program(source), {}, LIMITS, gloves)

    assert result.outcome == Outcome.SUCCEEDED, result.error
    assert result.value == [
        7,
        True,
        "https://a.example",
        {"x-a": "b"},
        '{"high": 7}',
        [0, 255],
        [[1], 3, True],
        [["known"], [{"key": "known", "value": [1], "score": 0.5, "tags": [], "importance": 0.0}]],
        "placeholder",
        {"called": "other"},
        {"name": "a.txt", "size_bytes": 2},
    ]
    assert gloves.calls == [
        (
            "fetch",
            {"url": "https://a.example", "method": "GET", "params": {"q": 1}, "headers": {"X": "y"}, "json": None},
        ),
        ("fetch", {"url": "https://b.example", "method": "POST", "data": {"base64": "AP8="}}),
        ("memory.put", {"key": "k", "value": {"a": [1]}, "tags": ["x"], "importance": 0.5}),
        ("memory.get", {"key": "known"}),
        ("memory.get", {"key": "unknown"}),
        ("memory.delete", {"key": "known"}),
        ("memory.list", {"prefix": "k", "limit": 100}),
        ("memory.search", {"text": "what", "limit": 1, "tags": ["t"]}),
        ("secrets.use", {"name": "token"}),
        ("call", {"agent_name": "other", "inputs": {"n": 1}}),
        ("files.write", {"name": "a.txt", "base64": "aGk=", "media_type": "text/plain"}),
    ]
    assert [line.message for line in gloves.lines] == ["done"]


@pytest.mark.parametrize("fault", list(GloveFault))
async def test_what_a_glove_refuses_is_the_exception_of_every_tier(sandbox: MontySandbox, fault: GloveFault) -> None:
    async def refuse(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        raise GloveError(fault, "not today")

    gloves = FixedGloves(answer=refuse)
    uncaught = "def run(inputs, ctx):\n    ctx.call('other')"
    caught = "def run(inputs, ctx):\n    try:\n        ctx.call('x')\n    except Exception as e:\n        return str(e)"

    result = await sandbox.run(Program(uncaught), {}, LIMITS, gloves)

    assert result.error is not None
    assert (result.error.type, result.error.message, result.error.line) == (fault.value, "not today", 2)
    assert (await sandbox.run(Program(caught), {}, LIMITS, gloves)).value == "not today"


async def test_dry_run_that_cannot_go_on_is_stopped_even_where_everything_is_caught(sandbox: MontySandbox) -> None:
    async def stop(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        raise RunStoppedError

    source = "def run(inputs, ctx):\n    try:\n        ctx.call('x')\n    except:\n        pass\n    print('went on')"

    result = await sandbox.run(Program(source), {}, LIMITS, FixedGloves(answer=stop))

    assert (result.outcome, result.complete, result.value, result.logs) == (Outcome.SUCCEEDED, False, None, ())


@pytest.mark.parametrize("value", ["range(10 ** 12)", "{1, 2}", "float('nan')", "lambda: 0", "{1: 2}"])
async def test_what_is_no_json_reaches_no_glove(sandbox: MontySandbox, value: str) -> None:
    gloves = FixedGloves(answer=answer)

    result = await sandbox.run(Program(f"def run(inputs, ctx):\n    ctx.memory.put('k', {value})"), {}, LIMITS, gloves)

    assert result.error is not None
    assert (result.error.type, gloves.calls) == ("ValueError", [])


async def test_file_of_a_number_is_refused_and_not_built(sandbox: MontySandbox) -> None:
    result = await sandbox.run(
        Program("def run(inputs, ctx):\n    ctx.files.write('a', 10 ** 12)"), {}, LIMITS, FixedGloves(answer=answer)
    )

    assert result.error is not None
    assert result.error.type == "TypeError"


async def test_wall_limit_ends_a_run_that_waits_for_a_glove(sandbox: MontySandbox) -> None:
    left = asyncio.Event()

    async def wait(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        try:
            await asyncio.sleep(60)
        finally:
            left.set()
        return None

    source = "def run(inputs, ctx):\n    try:\n        ctx.call('x')\n    except BaseException:\n        return 1"
    result = await sandbox.run(Program(source), {}, Limits(wall_ms_max=300), FixedGloves(answer=wait))

    assert result.outcome == Outcome.TIMED_OUT
    await asyncio.wait_for(left.wait(), 5)


@pytest.mark.parametrize(
    "code",
    [
        "datetime.datetime.now(datetime.timezone.utc).isoformat()",
        "datetime.datetime.now().isoformat() + '+00:00'",
        "(datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(time.time()))).isoformat() + '+00:00'",
    ],
)
async def test_frozen_clock_stands_at_the_start(run: Run, code: str) -> None:
    started_at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    source = f"import datetime, time\ndef run():\n    return {code}"

    frozen = await run(source, frozen_clock=True, started_at=started_at)
    running = await run(source, started_at=started_at)

    assert frozen.value == started_at.isoformat()
    assert running.value != frozen.value


async def test_kernels_randomness_makes_a_run_not_replayable(run: Run) -> None:
    source = "import os\ndef run():\n    return len(os.urandom(9))"

    assert ((await run(source)).value, (await run(source)).replayable) == (9, False)
    assert (await run("import random\ndef run():\n    return random.random()")).replayable


async def test_random_is_that_of_python(run: Run) -> None:
    source = (
        "import random\ndef run():\n    return [random.random(), random.randint(1, 9), random.sample(range(50), 3)]"
    )
    expected = random.Random(11)  # noqa: S311 - the point is that it repeats

    value = (await run(source, seed=11)).value

    assert value == [expected.random(), expected.randint(1, 9), expected.sample(range(50), 3)]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import statistics\ndef run():\n    return 1", "module statistics is not available"),
        ("def run():\n    try:\n        import numpy\n    except ImportError:\n        return 1", "module numpy"),
        ("from math import nothing_like_it\ndef run():\n    return 1", "math.nothing_like_it"),
        ("def run():\n    yield 1", "yield"),
        ("class A(Exception):\n    pass\ndef run():\n    raise A", "inheritance"),
        ("def run():\n    return bytearray(3)", "bytearray is not available"),
        ("def run():\n    return 'ab'.translate({97: 'b'})", "str.translate"),
        ("def run():\n    return (5).bit_length()", "int.bit_length"),
        ("def run():\n    return sorted('ba', key=str.lower)", "str.lower"),
        ("def run():\n    return run.__name__", "function.__name__"),
        ("import datetime\ndef run():\n    return str(datetime.timedelta(hours=1.5))", "timedelta() with fractions"),
        ("import re\ndef run():\n    return re.sub('a', lambda m: 'b', 'a')", "not yet supported"),
        ("def run():\n    return open('/etc/passwd').read()", "no operating system"),
        ("import os\ndef run():\n    return os.listdir('/')", "no operating system"),
        ("import os\ndef run():\n    try:\n        os.environ['HOME']\n    except Exception:\n        return 1", ""),
    ],
)
async def test_inability_is_told_from_the_programs_own_error(run: Run, source: str, what: str) -> None:
    result = await run(source)

    assert result.outcome == Outcome.TIER_UNSUITED
    assert result.error is not None
    assert what in result.error.message


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def run():\n    return [1].nothing_like_it", "AttributeError"),
        ("def run():\n    return nothing_like_it", "NameError"),
        ("import math\ndef run():\n    return math.nothing_like_it", "AttributeError"),
        ("def run():\n    raise NotImplementedError('mine')", "NotImplementedError"),
        ("def run():\n    raise ImportError(\"No module named 'statistics'\")", "ImportError"),
        ("def run():\n    raise AttributeError(\"'str' object has no attribute 'translate'\")", "AttributeError"),
        ("def run():\n    return sorted([1], nothing_like_it=2)", "TypeError"),
        ("def run():\n    return 'a' + 1", "TypeError"),
        ("def run():\n    return {}['a']", "KeyError"),
        ("def run():\n    assert 1 == 2", "AssertionError"),
        ("def run():\n    return run2()\ndef run2():\n    return run()", "RecursionError"),
        ("def helper(x):\n    return x\ndef run():\n    return helper(1, 2)", "TypeError"),
    ],
)
async def test_programs_own_error_is_told_from_inability(run: Run, source: str, kind: str) -> None:
    result = await run(source)

    assert (result.outcome, result.error and result.error.type) == (Outcome.FAILED, kind)


async def test_source_cannot_break_out_of_its_place(run: Run) -> None:
    swallowed = await run('def run():\n    return 1\nx = """')
    forged = await run("def run():\n    return 1\n_gbx_value = 2\nclass _gbx_Context:\n    pass")

    assert swallowed.outcome == Outcome.REJECTED
    assert swallowed.error is not None
    assert swallowed.error.line == 3
    assert forged.value == 1


async def test_worker_that_dies_is_an_ordinary_outcome(sandbox: MontySandbox, run: Run) -> None:
    going = asyncio.ensure_future(run(ENDLESS, limits=Limits(wall_ms_max=60_000)))
    async with asyncio.timeout(30):
        while not going.done():  # one that is busy with its own start may be killed first
            with suppress(ProcessLookupError, FileNotFoundError):  # it may be gone by itself meanwhile
                for pid in busy_workers():
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.02)
        result = await going

    assert result.outcome == Outcome.FAILED
    assert result.error is not None
    assert "SIGKILL" in result.error.message
    assert (await run("def run():\n    return 'unharmed'")).value == "unharmed"


def busy_workers() -> list[int]:
    """Workers of this process that have burnt some time: what else they run in these tests takes next to none."""
    ticks = {pid: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11] for pid in _workers()}
    return [pid for pid, user in ticks.items() if int(user) > 20]


async def test_cancelling_kills_the_run(sandbox: MontySandbox, run: Run) -> None:
    going = asyncio.ensure_future(run(ENDLESS, limits=Limits(wall_ms_max=60_000)))
    await asyncio.sleep(0.2)

    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(going, 10)

    assert sandbox.children["live"] == 0


async def test_wall_stands_around_every_worker(sandbox: MontySandbox, run: Run) -> None:
    await run("def run():\n    return 1")
    assert sandbox.wall.kind in (WallKind.FULL, WallKind.MINIMUM)
    assert {"no inherited descriptors", "own non-root uid", "landlock", "seccomp"} <= set(sandbox.wall.pieces)
    status = [_status(pid) for pid in _workers()]
    assert status
    for fields in status:
        assert fields["NoNewPrivs"] == "1"
        assert fields["Seccomp"] == "2"
        assert fields["CapEff"] == fields["CapPrm"] == "0" * 16
        assert "0" not in fields["Uid"].split()


def _workers() -> list[int]:
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    known = {pid: _status(pid) for pid in numbers}
    return [
        pid
        for pid, fields in known.items()
        if fields.get("Name") == "monty" and fields["PPid"] == str(os.getpid()) and not fields["State"].startswith("Z")
    ]


def _status(pid: int) -> dict[str, Any]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def _open_files(pid: int) -> set[str]:
    return {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}


async def test_workers_hold_nothing_but_their_pipes(run: Run) -> None:
    await run("def run():\n    return 1")
    for targets in map(_open_files, _workers()):
        assert all(target.startswith("pipe:") or target == "/dev/null" for target in targets)


async def test_tier_that_is_not_open_is_unavailable() -> None:
    closed = MontySandbox(uid=UID, workers=1)

    with pytest.raises(TierUnavailableError):
        _ = closed.wall
    with pytest.raises(TierUnavailableError):
        await closed.run(Program("def run():\n    return 1"), {}, LIMITS, FixedGloves())
    await closed.close()


async def test_full_tier_is_busy_and_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.monty.sandbox.TAKE_S_MAX", 0.2)
    small = MontySandbox(uid=UID, workers=1, live_max=1)
    await small.open()
    try:
        going = asyncio.create_task(small.run(Program(ENDLESS), {}, Limits(wall_ms_max=3_000), FixedGloves()))
        await asyncio.sleep(0.1)

        with pytest.raises(SandboxBusyError):
            await small.run(Program("def run():\n    return 1"), {}, LIMITS, FixedGloves())

        assert (await going).outcome == Outcome.TIMED_OUT
    finally:
        await small.close()
