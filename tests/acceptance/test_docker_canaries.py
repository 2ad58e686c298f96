"""Canaries around the docker tier: listeners that nothing may reach, secrets that nothing may find."""

import asyncio
import json
import os
import secrets
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from docker import DockerClient

from sandbox.docker.engine_facts import USUAL_URL
from server.auth.testing import SECRET
from tests.acceptance.processes import Caller, Process, server_process, token_of
from tests.acceptance.running import Json
from tests.support import docker_engine
from tests.support.database import LOGIN_PASSWORD, Cluster, database_from

# Tries to get out, and says what answered. The names of the places come in; what is there does not.
REACHING = """
import json, os, socket, urllib.request

def reach(how):
    try:
        return repr(how())
    except BaseException as error:
        return "refused: " + type(error).__name__

def talk(family, address):
    with socket.socket(family) as there:
        there.settimeout(0.5)
        there.connect(address)
        there.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
        return there.recv(100)

def read(path):
    with open(path) as file:
        return file.read()

def follow(path):
    link = os.path.join(os.environ.get("TMPDIR", "/tmp"), "result")
    os.symlink(path, link)
    return read(link)

def run(inputs):
    got = {}
    for host, port in inputs["addresses"]:
        got["web " + host] = reach(lambda: urllib.request.urlopen(f"http://{host}:{port}/", timeout=0.5).read())
        got["tcp " + host] = reach(lambda: talk(socket.AF_INET, (host, port)))
    got["abstract"] = reach(lambda: talk(socket.AF_UNIX, "\\0" + inputs["abstract"]))
    for path in inputs["sockets"]:
        got["socket " + path] = reach(lambda: talk(socket.AF_UNIX, path))
    for prefix in ("", "/proc/1/root", "/proc/self/root/../..", "/proc/1/cwd/../.."):
        got["file " + prefix] = reach(lambda: read(prefix + inputs["file"]))
    got["symlink"] = reach(lambda: follow(inputs["file"]))
    got["name"] = reach(lambda: socket.gethostbyname("localhost.localdomain"))
    return got
"""
# Looks for words, told backwards so that it does not find itself, wherever a program can look.
HUNTING = """
import gc, os, sys

def places(tops):
    for top in tops:
        for folder, below, files in os.walk(top):
            if folder.count("/") > 6:
                below.clear()
            for file in files:
                yield os.path.join(folder, file)

def memory(process):
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as held:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if " rw" in line and end - start < 1 << 28:
                held.seek(start)
                yield held.read(end - start)

def texts(tops):
    yield "environment", repr(dict(os.environ)).encode()
    yield "arguments", repr(sys.argv).encode()
    for number, frame in enumerate(sys._current_frames().values()):
        while frame:
            yield f"frame {number}", repr(list(frame.f_globals))[:100000].encode()
            frame = frame.f_back
    for kept in gc.get_objects():
        if type(kept) in (dict, list, tuple):
            for value in (kept.values() if type(kept) is dict else kept):
                if type(value) is str:
                    yield "object", value.encode(errors="replace")
                elif type(value) is bytes:
                    yield "object", value
    try:
        for part in memory(1):
            yield "the guest's memory", part
    except OSError:
        pass
    for path in places(tops):
        if "/task/" in path or path.endswith(("/mem", "kmsg", "/clear_refs", "/pagemap")):
            continue
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            yield path, os.read(handle, 1 << 16)
        except OSError:
            pass
        finally:
            os.close(handle)

def run(inputs):
    words = [word.encode() for word in inputs["backwards"]]
    found = {place for place, text in texts(inputs["tops"]) if any(word in text[::-1] for word in words)}
    return {"found": sorted(found)[:20]}
"""
LEAVING = """
import os, pathlib, sys, time, builtins

def run(inputs):
    word = inputs["word"]
    pathlib.Path("/tmp/left").write_text(word)
    pathlib.Path("/dev/shm/left").write_text(word)
    os.environ["LEFT"] = word
    sys.left = builtins.left = word
    print(word)
    time.sleep(inputs["seconds"])
    return word
"""


TOPS = ("/proc", "/tmp", "/dev/shm", "/etc", "/run", "/opt/glovebox", "/sys/fs/cgroup", "/home", "/root", "/var")  # noqa: S108 - places to look


def hunt(*words: str, tops: tuple[str, ...] = TOPS) -> Json:
    return {"backwards": [word[::-1] for word in words], "tops": list(tops)}


@dataclass(frozen=True)
class Outside:
    """What is planted around a server: a word, where it stands, and listeners that count their callers."""

    word: str
    home: Path
    listeners: dict[str, socket.socket]
    inputs: dict[str, Any]

    def reached(self) -> list[str]:
        ready = select.select(list(self.listeners.values()), [], [], 0)[0]
        return [name for name, listener in self.listeners.items() if listener in ready]


@contextmanager
def outside(home: Path, addresses: list[str]) -> Iterator[Outside]:
    word = f"canary{secrets.token_hex(12)}"
    file = home / "canary.txt"
    file.write_text(word)
    file.chmod(0o644)
    abstract = f"glovebox-{secrets.token_hex(8)}"
    with ExitStack() as stack:
        listeners = {}
        for address in addresses:
            listeners[address] = stack.enter_context(socket.create_server((address, 0)))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(f"\0{abstract}")
        unix.listen()
        inputs = {
            "addresses": [(name, listener.getsockname()[1]) for name, listener in listeners.items()],
            "abstract": abstract,
            "sockets": [(docker_engine.engine_url() or USUAL_URL).removeprefix("unix://"), "/run/docker.sock"],
            "file": str(file),
        }
        yield Outside(word, home, {**listeners, "abstract": unix}, inputs)


@dataclass(frozen=True)
class Surrounded:
    """A server with the docker tier, and the canaries around it."""

    process: Process
    outside: Outside
    log: Path

    def client(self, user: Caller) -> httpx.AsyncClient:
        return user.at(self.process)


@pytest.fixture(scope="module")
def surrounded(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surrounded]:
    home = tmp_path_factory.mktemp("surrounded")
    log = home / "server.log"
    with docker_engine.engine() as engine, outside(home, ["127.0.0.1", *bridge_addresses(engine)]) as planted:
        docker_engine.guest_image(engine)
        word = planted.word
        (home / ".env").write_text(f"GLOVEBOX_METRICS_TOKEN={word}-metrics-token\nANOTHER={word}\n")
        variables = {
            "DOCKER_HOST": docker_engine.engine_url() or USUAL_URL,
            "GLOVEBOX_DOCKER_IMAGE": docker_engine.TAG,
            "GLOVEBOX_DOCKER_POOL_SIZE": "1",
            "GLOVEBOX_TIERS": json.dumps(["restricted", "docker"]),
            "GLOVEBOX_TEST_CANARY": word,
        }
        serve = ("-X", f"canary={word}", "-m", "server.cli.main", "serve", "--port", "0")
        with (
            database_from(cluster, template) as database,
            server_process(database, home, *serve, log=log, **variables) as process,
        ):
            yield Surrounded(process, planted, log)


def bridge_addresses(engine: DockerClient) -> list[str]:
    """The host's own addresses on the engine's bridges."""
    networks = engine.networks.list(filters={"driver": "bridge"})
    configs = [config for network in networks for config in network.attrs["IPAM"]["Config"] or ()]
    return [config["Gateway"] for config in configs if "Gateway" in config]


async def answer_of(http: httpx.AsyncClient, user: Caller, code: str, inputs: Json) -> Any:
    name = f"agent-{secrets.token_hex(4)}"
    made = await http.post("/agents", json={"agent_name": name, "code": code, "tier": "docker"})
    assert made.status_code == 201, made.text
    answer = await http.post(user.path(name), json=inputs)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_no_program_reaches_a_listener_a_socket_or_a_file_outside(surrounded: Surrounded) -> None:
    mallory = Caller.new()
    async with surrounded.client(mallory) as http:
        answered = await answer_of(http, mallory, REACHING, surrounded.outside.inputs)

    assert surrounded.outside.reached() == []
    assert surrounded.outside.word not in json.dumps(answered)
    assert [name for name, how in answered.items() if not how.startswith("refused: ")] == []


async def test_no_program_finds_a_secret_of_the_server_or_of_another_user(surrounded: Surrounded) -> None:
    alice, mallory, word = Caller.new(), Caller.new(), surrounded.outside.word
    async with surrounded.client(alice) as of_alice, surrounded.client(mallory) as of_mallory:
        leaving = {"word": f"{word}-alice", "seconds": 0}
        assert await answer_of(of_alice, alice, LEAVING, leaving) == f"{word}-alice"
        going = asyncio.create_task(answer_of(of_alice, alice, LEAVING, leaving | {"seconds": 3}))
        wanted = hunt(word, SECRET, LOGIN_PASSWORD, token_of(alice.id).rpartition(".")[2])
        hunts = [await answer_of(of_mallory, mallory, HUNTING, wanted) for _ in range(3)]
        assert await going == f"{word}-alice"
        seen = [await of_mallory.get(path) for path in ("/agents", "/runs", "/credits", "/account/export")]
        runs = (await of_mallory.get("/runs")).json()["items"]
        seen += [await of_mallory.get(f"/runs/{run['id']}{part}") for run in runs for part in ("", "/logs")]

    assert hunts == [{"found": []}] * 3
    assert all(answer.status_code == 200 for answer in seen)
    assert [answer.url for answer in seen if word in answer.text] == []
    assert word not in surrounded.log.read_text()


async def test_no_run_finds_what_the_users_own_last_run_left(surrounded: Surrounded) -> None:
    alice, word = Caller.new(), surrounded.outside.word
    async with surrounded.client(alice) as http:
        for _ in range(3):
            await answer_of(http, alice, LEAVING, {"word": f"{word}-again", "seconds": 0})
            assert await answer_of(http, alice, HUNTING, hunt(f"{word}-again")) == {"found": []}


def plainly(code: str, inputs: Json, **environment: str) -> Any:
    """What a program answers without any wall."""
    program = f"{code}\nimport json\nprint(json.dumps(run(json.load(sys.stdin))))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}"],
        input=json.dumps(inputs),
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.defpath, **environment},
        check=True,
    )
    return json.loads(done.stdout)


def test_control_without_a_wall_the_canaries_are_reached(tmp_path: Path) -> None:
    with outside(tmp_path, ["127.0.0.1"]) as planted:
        answered = plainly(REACHING, planted.inputs, TMPDIR=str(tmp_path))

        assert planted.reached() == ["127.0.0.1", "abstract"]
        assert planted.word in answered["symlink"]


def test_control_without_a_wall_the_secret_is_found() -> None:
    word = secrets.token_hex(12)

    assert "environment" in plainly(HUNTING, hunt(word, tops=("/proc/self",)), SECRET=word)["found"]
