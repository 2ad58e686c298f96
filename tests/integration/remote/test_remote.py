"""A sandbox host and its servers: everything passes whole, and every way of going away is noticed at both ends."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox.errors import SandboxBusyError, SandboxError, SandboxLostError, TierUnavailableError
from sandbox.remote import RemoteSandbox, wire
from sandbox.remote.address import Address, AddressError
from sandbox.types import (
    GloveError,
    GloveFault,
    Gloves,
    Inputs,
    JsonValue,
    Limits,
    LogLine,
    Outcome,
    Program,
    ProgramError,
    Refusal,
    Result,
    RunStoppedError,
    Tier,
    Usage,
)
from tests.integration.remote.conftest import ScriptedSandbox, connected, hosting
from tests.support.gloves import FixedGloves

PROGRAM = Program("def run(inputs):\n    return inputs")
NOTICED_S_MAX = 10


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(NOTICED_S_MAX):
        while not holds():  # noqa: ASYNC110 - what is looked at changes in another process or task
            await asyncio.sleep(0.01)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_everything_of_a_run_reaches_the_sandbox(remote: RemoteSandbox, scripted: ScriptedSandbox) -> None:
    seen: list[object] = []

    async def look(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        seen.extend((program, inputs, limits, gloves.owner, gloves.test, gloves.seed, gloves.started_at))
        seen.append(gloves.frozen_clock)
        return Result(Outcome.SUCCEEDED)

    scripted.behaviour = look
    gloves = FixedGloves(test=True, seed=2**63 - 1, owner="ünïque", frozen_clock=True)
    inputs: Inputs = {"text": "ü\ud800\0", "deep": [[1, 2.5, {"none": None}]], "big": 10**40}
    limits = Limits(wall_ms_max=7, disk_bytes_max=11, effects_bytes_max=13)

    await remote.run(PROGRAM, inputs, limits, gloves)

    assert seen == [PROGRAM, inputs, limits, gloves.owner, True, gloves.seed, gloves.started_at, True]


async def test_everything_of_a_result_comes_back(remote: RemoteSandbox, scripted: ScriptedSandbox) -> None:
    logs = (LogLine(1, "one", {"a": [1]}), LogLine(20, "ü\n"))
    error = ProgramError("ValueError", "no", 3, None, "line 3, in run")
    expected = Result(Outcome.FAILED, None, error, logs, Usage(1, 2, 3, 4), complete=False, replayable=False)

    async def fail(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        for line in logs:
            gloves.log(line)
        return expected

    scripted.behaviour = fail
    gloves = FixedGloves()

    assert await remote.run(PROGRAM, {}, Limits(), gloves) == expected
    assert gloves.lines == list(logs)


async def test_large_values_pass_whole(remote: RemoteSandbox) -> None:
    inputs = {"text": "\0ü\\" * 3_000_000}

    assert (await remote.run(PROGRAM, inputs, Limits(), FixedGloves())).value == inputs


async def test_check_brings_the_refusals(remote: RemoteSandbox, scripted: ScriptedSandbox) -> None:
    scripted.refusals = (Refusal(2, 5, "import os", "use pathlib"), Refusal(3, 1, "x", "y"))

    assert await remote.check(PROGRAM) == scripted.refusals


async def test_many_runs_at_once_do_not_mix(remote: RemoteSandbox, scripted: ScriptedSandbox) -> None:
    async def wait_and_echo(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        gloves.log(LogLine(0, str(inputs["n"])))
        return Result(Outcome.SUCCEEDED, await gloves.call("echo", inputs))

    async def echo(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        return arguments["n"]

    scripted.behaviour = wait_and_echo
    results = await asyncio.gather(
        *(remote.run(PROGRAM, {"n": n}, Limits(), FixedGloves(answer=echo)) for n in range(100))
    )

    assert [(result.value, result.logs[0].message) for result in results] == [(n, str(n)) for n in range(100)]


@pytest.mark.parametrize("error", [GloveError(GloveFault.TIMEOUT, "too slow"), RunStoppedError()])
async def test_what_a_glove_raises_is_raised_in_the_host(
    remote: RemoteSandbox, scripted: ScriptedSandbox, error: Exception
) -> None:
    async def call(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        try:
            await gloves.call("fetch", {"url": "https://example.com"})
        except (GloveError, RunStoppedError) as raised:
            fault = raised.fault.value if isinstance(raised, GloveError) else ""
            return Result(Outcome.SUCCEEDED, [type(raised).__name__, fault, str(raised)])
        return Result(Outcome.SUCCEEDED)

    async def refuse(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        raise error

    scripted.behaviour = call
    gloves = FixedGloves(answer=refuse)

    result = await remote.run(PROGRAM, {}, Limits(), gloves)

    assert result.value == [type(error).__name__, getattr(error, "fault", ""), str(error)]
    assert gloves.calls == [("fetch", {"url": "https://example.com"})]


async def test_run_that_ends_under_a_glove_call_cancels_it(remote: RemoteSandbox, scripted: ScriptedSandbox) -> None:
    ended = asyncio.Event()

    async def time_out(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        call = asyncio.ensure_future(gloves.call("fetch", {}))
        await asyncio.wait({call}, timeout=0.05)
        call.cancel()
        return Result(Outcome.TIMED_OUT)

    async def never(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return None

    scripted.behaviour = time_out

    assert (await remote.run(PROGRAM, {}, Limits(), FixedGloves(answer=never))).outcome == Outcome.TIMED_OUT
    assert ended.is_set()
    assert (await remote.check(PROGRAM)) == ()


async def test_defect_of_the_gloves_ends_the_run_as_what_it_is(
    remote: RemoteSandbox, scripted: ScriptedSandbox
) -> None:
    ended = asyncio.Event()

    async def call(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        try:
            return Result(Outcome.SUCCEEDED, await gloves.call("fetch", {}))
        finally:
            ended.set()

    async def break_down(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        raise ZeroDivisionError

    scripted.behaviour = call

    with pytest.raises(ZeroDivisionError):
        await remote.run(PROGRAM, {}, Limits(), FixedGloves(answer=break_down))
    await asyncio.wait_for(ended.wait(), NOTICED_S_MAX)


@pytest.mark.parametrize(
    "error",
    [
        SandboxBusyError(7),
        TierUnavailableError("restricted", ("no kernel", "no luck")),
        SandboxLostError("a child ended and nobody knows how"),
    ],
)
async def test_what_the_sandbox_raises_comes_back(
    remote: RemoteSandbox, scripted: ScriptedSandbox, error: SandboxError
) -> None:
    async def fail(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        raise error

    scripted.behaviour = fail

    with pytest.raises(type(error)) as raised:
        await remote.run(PROGRAM, {}, Limits(), FixedGloves())

    assert vars(raised.value) == vars(error)
    assert str(raised.value) == str(error)


async def test_defect_in_the_host_loses_that_run_alone(remote: RemoteSandbox, scripted: ScriptedSandbox) -> None:
    async def fail(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        raise ZeroDivisionError

    working, scripted.behaviour = scripted.behaviour, fail
    with pytest.raises(SandboxLostError, match="defect"):
        await remote.run(PROGRAM, {}, Limits(), FixedGloves())
    scripted.behaviour = working

    assert (await remote.run(PROGRAM, {}, Limits(), FixedGloves())).outcome == Outcome.SUCCEEDED


async def test_cancelled_run_is_cancelled_in_the_host(remote: RemoteSandbox, scripted: ScriptedSandbox) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def hang(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return Result(Outcome.SUCCEEDED)

    scripted.behaviour = hang
    run = asyncio.create_task(remote.run(PROGRAM, {}, Limits(), FixedGloves()))
    await started.wait()
    run.cancel()

    with pytest.raises(asyncio.CancelledError):
        await run
    await asyncio.wait_for(ended.wait(), NOTICED_S_MAX)


async def test_tiers_stand_as_they_do_in_the_host(socket_path: Path) -> None:
    restricted, docker = ScriptedSandbox(), ScriptedSandbox(Tier.DOCKER, lacks=("no engine",))
    async with hosting(socket_path, restricted, docker), connected(socket_path) as here:
        assert here.missing == ()
        assert here.wall == restricted.wall
        assert here.children == {"ready": 3, "live": 0}

        restricted.lacks = ("the zygote is gone",)
        await eventually(lambda: here.missing == ("the zygote is gone",))
        with pytest.raises(TierUnavailableError, match="the zygote is gone"):
            _ = here.wall

        async with connected(socket_path, Tier.DOCKER) as there:
            assert there.missing == ("no engine",)
            docker.lacks = ()
            await eventually(lambda: there.missing == ())
        async with connected(socket_path, Tier.MONTY) as nowhere:
            assert nowhere.missing == ("the sandbox host does not offer it",)


async def test_absent_host_is_missed_until_it_comes(socket_path: Path) -> None:
    async with connected(socket_path) as remote:
        assert "glovebox sandbox-host" in remote.missing[0]
        with pytest.raises(TierUnavailableError):
            await remote.run(PROGRAM, {}, Limits(), FixedGloves())

        for _ in range(2):  # it may also come back
            async with hosting(socket_path, ScriptedSandbox()):
                await eventually(lambda: not remote.missing)
                assert (await remote.run(PROGRAM, {"a": 1}, Limits(), FixedGloves())).value == {"a": 1}
            await eventually(lambda: bool(remote.missing))


async def test_run_is_lost_when_its_host_goes(socket_path: Path, scripted: ScriptedSandbox) -> None:
    started = asyncio.Event()

    async def hang(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        started.set()
        await asyncio.sleep(60)
        return Result(Outcome.SUCCEEDED)

    scripted.behaviour = hang
    async with hosting(socket_path, scripted) as host, connected(socket_path) as remote:
        run = asyncio.create_task(remote.run(PROGRAM, {}, Limits(), FixedGloves()))
        await started.wait()
        assert host.live == 1
        assert not await host.drain(0.05)
        with pytest.raises(SandboxBusyError):
            await remote.run(PROGRAM, {}, Limits(), FixedGloves())
        await host.close()

        with pytest.raises(SandboxLostError, match="stops"):
            await run


async def test_drained_host_lets_runs_end(socket_path: Path, scripted: ScriptedSandbox) -> None:
    started = asyncio.Event()

    async def hang(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        started.set()
        await asyncio.sleep(0.1)
        return Result(Outcome.SUCCEEDED)

    scripted.behaviour = hang
    async with hosting(socket_path, scripted) as host, connected(socket_path) as remote:
        run = asyncio.create_task(remote.run(PROGRAM, {}, Limits(), FixedGloves()))
        await started.wait()

        assert await host.drain(NOTICED_S_MAX)
        assert (await run).outcome == Outcome.SUCCEEDED


HOST = """
import asyncio, sys
from pathlib import Path
from sandbox.remote import SandboxHost
from sandbox.remote.address import Address
from sandbox.tiers import Tiers
from tests.integration.remote.conftest import ScriptedSandbox

async def hang(*_):
    await asyncio.sleep(60)

async def main():
    host = SandboxHost(Tiers([ScriptedSandbox(behaviour=hang)]), Address.take(Path(sys.argv[1])))
    await host.open()
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_killed_host_loses_its_runs_and_another_takes_over(socket_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOST, str(socket_path), stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
        async with connected(socket_path) as remote:
            runs = [asyncio.create_task(remote.run(PROGRAM, {}, Limits(), FixedGloves())) for _ in range(3)]
            await asyncio.sleep(0.05)
            process.send_signal(signal.SIGKILL)

            for run in runs:
                with pytest.raises(SandboxLostError):
                    await asyncio.wait_for(run, NOTICED_S_MAX)
            await eventually(lambda: bool(remote.missing))
            async with hosting(socket_path, ScriptedSandbox()):
                await eventually(lambda: not remote.missing)
                assert (await remote.run(PROGRAM, {"a": 1}, Limits(), FixedGloves())).value == {"a": 1}
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_host_that_falls_silent_is_missed(socket_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.remote.link.SILENCE_S_MAX", 0.5)
    silent = socket.socket(socket.AF_UNIX)
    with silent:
        silent.bind(str(socket_path))
        silent.listen()
        async with connected(socket_path) as remote:
            assert "no sandbox host answers" in remote.missing[0]


async def test_host_of_another_version_is_not_used(
    socket_path: Path, scripted: ScriptedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = wire.pack(wire.Kind.STATE, (wire.VERSION + 1, {}))
    monkeypatch.setattr(wire, "pack_state", lambda tiers: packed)
    async with hosting(socket_path, scripted), connected(socket_path) as remote:
        assert f"version {wire.VERSION + 1}" in remote.missing[0]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        wire.HEADER.pack(wire.Kind.RUN, wire.FRAME_BYTES_MAX + 1),
        wire.pack(wire.Kind.RUN, ["restricted", "x"]),
        wire.pack(wire.Kind.RUN, {"a": 1}),
        wire.pack(wire.Kind.RUN, ["restricted", "x", {}, ["1"], "me", False, 1, "2026-01-01T00:00:00+00:00", False]),
        wire.pack(wire.Kind.RUN, ["restricted", "x", [], [1], "me", False, 1, "2026-01-01T00:00:00+00:00", False]),
        wire.HEADER.pack(wire.Kind.CHECK, 3) + b"\xff[[",
        wire.pack(wire.Kind.RESULT, []),
        wire.pack(wire.Kind.ANSWER, [1, None, 2]),
    ],
)
async def test_caller_that_breaks_the_protocol_is_hung_up_on_alone(
    socket_path: Path, remote: RemoteSandbox, sent: bytes
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(socket_path))
    writer.write(sent)

    try:
        assert await asyncio.wait_for(reader.read(), NOTICED_S_MAX) == b""
    except ConnectionResetError:
        pass
    finally:
        await hang_up(writer)
    assert (await remote.run(PROGRAM, {"a": 1}, Limits(), FixedGloves())).value == {"a": 1}


async def test_second_job_on_one_connection_ends_both(
    socket_path: Path, remote: RemoteSandbox, scripted: ScriptedSandbox
) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def hang(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return Result(Outcome.SUCCEEDED)

    scripted.behaviour = hang
    frame = wire.pack_job(Tier.RESTRICTED, PROGRAM, {}, Limits(), FixedGloves())
    _, writer = await asyncio.open_unix_connection(str(socket_path))
    writer.write(frame)
    await asyncio.wait_for(started.wait(), NOTICED_S_MAX)
    writer.write(frame)

    await asyncio.wait_for(ended.wait(), NOTICED_S_MAX)
    await hang_up(writer)


async def test_socket_is_for_its_own_user_alone(socket_path: Path) -> None:
    first = Address.take(socket_path)
    first_owner = first.owner
    first.release()
    async with hosting(socket_path, ScriptedSandbox()):
        assert stat.S_IMODE(os.stat(socket_path).st_mode) == 0o600  # noqa: PTH116 - one look
        with pytest.raises(AddressError, match="another sandbox host"):
            Address.take(socket_path)
    next_one = Address.take(socket_path)
    next_one.release()
    assert next_one.owner == first_owner


CONNECT = """
import os, socket, sys
os.setgroups([])
os.setgid(64998)
os.setuid(64998)
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
try:
    s.sendall(bytes.fromhex(sys.argv[2]))
    print(len(s.recv(100)))
except ConnectionError:
    print(0)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_other_users_are_hung_up_on_even_where_the_file_lets_them_in(socket_path: Path) -> None:
    async with hosting(socket_path, ScriptedSandbox()):
        os.chmod(socket_path.parent, 0o755)  # noqa: PTH101, S103 - what the test is about
        os.chmod(socket_path, 0o666)  # noqa: PTH101, S103 - what the test is about
        watch = wire.pack(wire.Kind.WATCH, None).hex()

        done = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CONNECT, str(socket_path), watch, stdout=subprocess.PIPE
        )
        out, _ = await asyncio.wait_for(done.communicate(), 30)

    assert out == b"0\n"


@pytest.mark.parametrize(("mode", "why"), [(0o770, "chmod"), (0o1777, "chmod")])
def test_directory_that_others_may_change_is_refused(tmp_path: Path, mode: int, why: str) -> None:
    directory = tmp_path / "open"
    directory.mkdir()
    directory.chmod(mode)

    with pytest.raises(AddressError, match=why):
        Address.take(directory / "sandbox.sock")


def test_path_that_cannot_be_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AddressError, match="cannot"):
        Address.take(tmp_path / ("x" * 120))
    with pytest.raises(AddressError, match="cannot"):
        Address.take(tmp_path / "no" / "such" / "sandbox.sock")


async def test_log_lines_come_while_the_run_goes_on(remote: RemoteSandbox, scripted: ScriptedSandbox) -> None:
    logged, heard = asyncio.Event(), asyncio.Event()

    async def tell(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        gloves.log(LogLine(0, "live"))
        await asyncio.wait_for(heard.wait(), NOTICED_S_MAX)
        return Result(Outcome.SUCCEEDED)

    class Following(FixedGloves):
        def log(self, line: LogLine) -> None:
            logged.set()

    scripted.behaviour = tell
    run = asyncio.create_task(remote.run(PROGRAM, {}, Limits(), Following()))
    await asyncio.wait_for(logged.wait(), NOTICED_S_MAX)
    heard.set()

    assert (await run).outcome == Outcome.SUCCEEDED


async def test_flood_of_log_lines_comes_whole_and_in_order(remote: RemoteSandbox, scripted: ScriptedSandbox) -> None:
    async def flood(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        for number in range(20_000):
            gloves.log(LogLine(0, str(number)))
        return Result(Outcome.SUCCEEDED)

    scripted.behaviour = flood

    result = await remote.run(PROGRAM, {}, Limits(), FixedGloves())

    assert [line.message for line in result.logs] == [str(number) for number in range(20_000)]


async def test_host_that_never_ends_a_run_loses_it_in_time(
    remote: RemoteSandbox, scripted: ScriptedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        await asyncio.sleep(60)
        return Result(Outcome.SUCCEEDED)

    monkeypatch.setattr("sandbox.remote.client.RUN_SPARE_S", 0.1)
    scripted.behaviour = hang
    started = time.monotonic()

    with pytest.raises(SandboxLostError):
        await remote.run(PROGRAM, {}, Limits(wall_ms_max=100), FixedGloves())

    assert time.monotonic() - started < NOTICED_S_MAX
