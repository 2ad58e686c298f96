"""What a child has done before anybody waits for it."""

import asyncio
import marshal
import socket
from pathlib import Path

from sandbox.guest.frames import HEADER, Kind
from sandbox.policy import compile_program
from sandbox.restricted.zygote import Zygote
from tests.integration.sandbox.conftest import UID

HELLO = 'def run(inputs):\n    return {"hello": inputs["name"]}\n'
JOB = {
    "op": "run",
    "rlimits": {},
    "source": None,
    "inputs": {"name": "World"},
    "seed": 1,
    "test": False,
    "frozen_clock": False,
    "started_at": 0.0,
}
# The shortest run writes to some 270 pages for the first time.
PAGES_MAX = 120


def pages_touched(pid: int) -> int:
    """Minor page faults of a process so far. Source: proc_pid_stat(5), field 10."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[7])


async def frame(channel: socket.socket) -> tuple[Kind, bytes]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(20):
        data = await loop.sock_recv(channel, HEADER.size)
        kind, length = HEADER.unpack(data)
        return Kind(kind), await loop.sock_recv(channel, length) if length else b""


async def test_no_caller_waits_for_the_pages_that_every_run_writes_to() -> None:
    packed = marshal.dumps({**JOB, "code": marshal.dumps(compile_program(HELLO).code)})
    zygote = await Zygote.start(UID, "sandbox.policy")
    try:
        forked, channel = await zygote.fork()
        with channel:
            first = await frame(channel)
            before = pages_touched(forked.pid)
            await asyncio.get_running_loop().sock_sendall(channel, HEADER.pack(Kind.JOB, len(packed)) + packed)
            last = await frame(channel)
            touched = pages_touched(forked.pid) - before
        async with asyncio.timeout(20):
            await forked.ended
    finally:
        await zygote.stop()

    assert first == (Kind.READY, b"")
    assert last == (Kind.VALUE, b'{"hello":"World"}')
    assert touched <= PAGES_MAX
