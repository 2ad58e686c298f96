"""A running container of the docker tier, held to the CIS Docker Benchmark and to what its system calls may not do.

Source: CIS Docker Benchmark 1.6.0, section 5.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.docker_tier import DockerTier, docker_tier, run_code

MIB = 1024 * 1024
START_S_MAX = 60
# Each call in a process of its own, so that one that goes through changes nothing for the next.
SYSTEM_CALLS = """
import ctypes, errno, os

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(4096)
at = ctypes.addressof(room)
CALLS = {
    "AF_VSOCK": (41, 40, 1, 0), "AF_ALG": (41, 38, 5, 0), "AF_PACKET": (41, 17, 3, 0), "AF_NETLINK": (41, 16, 3, 0),
    "AF_INET raw": (41, 2, 3, 1), "AF_VSOCK pair": (53, 40, 1, 0, at), "io_uring_setup": (425, 8, at),
    "io_uring_enter": (426, 0, 0, 0, 0, 0, 0), "io_uring_register": (427, 0, 0, 0, 0),
    "personality": (135, 0x0040000), "modify_ldt": (154, 0, at, 16), "vmsplice": (278, 1, at, 0, 0),
    "add_key": (248, at, at, at, 0, -2), "keyctl": (250, 0, -3, 1), "request_key": (249, at, at, 0, -3),
    "userfaultfd": (323, 1), "unshare user": (272, 0x10000000), "unshare mount": (272, 0x00020000),
    "clone user": (56, 0x10000011, 0, 0, 0, 0), "clone net": (56, 0x40000011, 0, 0, 0, 0), "setns": (308, 0, 0),
    "ptrace": (101, 0, 0, 0, 0), "process_vm_readv": (310, os.getpid(), at, 1, at, 1, 0), "bpf": (321, 0, at, 128),
    "perf_event_open": (298, at, 0, -1, -1, 0), "mount": (165, at, at, at, 0, 0), "umount2": (166, at, 0),
    "pivot_root": (155, at, at), "chroot": (161, at), "open_by_handle_at": (304, -100, at, 0),
    "init_module": (175, at, 0, at), "kexec_load": (246, 0, 0, 0, 0), "reboot": (169, 0, 0, 0), "swapon": (167, at, 0),
    "fsopen": (430, at, 0), "move_mount": (429, -1, at, -1, at, 0), "kcmp": (312, 1, 1, 0, 0, 0),
}

def attempt(number, *arguments):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        ctypes.set_errno(0)
        done = libc.syscall(number, *(ctypes.c_long(argument) for argument in arguments))
        os.write(write, str(0 if done >= 0 else ctypes.get_errno()).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    said = os.read(read, 16)
    os.close(read)
    return "through" if said == b"0" else errno.errorcode.get(int(said or 0), "killed")

def run(inputs=None):
    return {name: attempt(*call) for name, call in CALLS.items()}
"""
CONTROL = f"{SYSTEM_CALLS}\nimport json\nprint(json.dumps(run()))"


@pytest.fixture(scope="module")
def tier() -> Iterator[DockerTier]:
    with docker_tier() as started:
        yield started


@pytest.fixture(scope="module")
def attributes(tier: DockerTier) -> dict[str, Any]:
    deadline = time.monotonic() + START_S_MAX
    while not (containers := tier.containers()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    containers[0].reload()
    return containers[0].attrs


@pytest.fixture(scope="module")
def host(attributes: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = attributes["HostConfig"]
    return config


def test_security_modules_stay_on(tier: DockerTier, attributes: dict[str, Any], host: dict[str, Any]) -> None:
    """5.2, 5.3, 5.22, 5.26."""
    options = host["SecurityOpt"]

    assert any(option.startswith("no-new-privileges") for option in options)
    assert any(option.startswith("seccomp=") and "unconfined" not in option for option in options)
    assert not any("apparmor=unconfined" in option or "label=disable" in option for option in options)
    if any("name=apparmor" in option for option in tier.engine.info()["SecurityOptions"]):
        assert attributes["AppArmorProfile"] not in ("", "unconfined")


def test_no_capability_and_no_privilege_is_left(host: dict[str, Any]) -> None:
    """5.4, 5.5."""
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Privileged"] is False


def test_nothing_of_the_host_is_inside(attributes: dict[str, Any], host: dict[str, Any]) -> None:
    """5.6, 5.17, 5.18, 5.20, 5.32: no mount of the host's files, none shared back, no device, no engine's socket."""
    assert attributes["Mounts"] == []
    assert not host["Binds"]
    assert not host.get("Mounts")
    assert not host["Devices"]
    assert not host["DeviceRequests"]


def test_no_network_and_no_port(attributes: dict[str, Any], host: dict[str, Any]) -> None:
    """5.8, 5.9, 5.10, 5.14, 5.30."""
    assert host["NetworkMode"] == "none"
    assert not host["PortBindings"]
    assert not attributes["NetworkSettings"]["Ports"]
    assert host["PublishAllPorts"] is False


def test_memory_processes_and_processor_are_limited(host: dict[str, Any]) -> None:
    """5.11, 5.12, 5.29, and no swap."""
    assert 0 < host["Memory"] <= 1024 * MIB
    assert host["MemorySwap"] == host["Memory"]
    assert 0 < host["PidsLimit"] <= 128
    assert host["NanoCpus"] > 0
    assert host["CpuShares"] not in (0, 1024)


def test_root_is_read_only_and_scratch_is_sized(host: dict[str, Any]) -> None:
    """5.13."""
    assert host["ReadonlyRootfs"] is True
    assert host["Tmpfs"]
    for options in host["Tmpfs"].values():
        assert {"nosuid", "nodev", "noexec"} <= set(options.split(","))
        assert "size=" in options
        assert "nr_inodes=" in options


def test_it_is_never_started_again_by_the_engine(host: dict[str, Any]) -> None:
    """5.15."""
    assert host["RestartPolicy"]["Name"] in ("", "no")


def test_no_namespace_is_the_hosts(host: dict[str, Any]) -> None:
    """5.16, 5.17, 5.21, 5.31."""
    assert host["PidMode"] == ""
    assert host["IpcMode"] in ("private", "none")
    assert host["UTSMode"] == ""
    assert host["UsernsMode"] == ""


def test_ulimits_are_set_and_the_log_is_bounded(host: dict[str, Any]) -> None:
    """5.19; a log that the engine keeps without a bound would fill the host's disk."""
    limits = {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]}

    assert 0 < limits["nofile"] <= 4096
    assert limits["core"] <= 1
    assert host["LogConfig"]["Type"] == "none" or "max-size" in host["LogConfig"]["Config"]


def test_cgroup_is_the_engines_own_choice(host: dict[str, Any]) -> None:
    """5.25."""
    assert host["CgroupParent"] == ""


def test_user_is_not_root_and_health_can_be_asked_for(attributes: dict[str, Any]) -> None:
    """4.1, 5.24, 5.27."""
    assert attributes["Config"]["User"].split(":")[0] not in ("", "0", "root")
    assert attributes["State"]["Health"]["Status"] in ("starting", "healthy")


def test_image_is_the_one_that_is_pinned(tier: DockerTier, attributes: dict[str, Any]) -> None:
    assert attributes["Image"] == tier.image_id
    assert attributes["Config"]["Image"] == tier.image_id


def test_environment_holds_nothing_of_the_servers(attributes: dict[str, Any]) -> None:
    names = {entry.partition("=")[0] for entry in attributes["Config"]["Env"]}

    assert not {name for name in names if name.startswith(("GLOVEBOX", "DATABASE", "SUPABASE", "DOCKER", "PIP", "SSL"))}


async def test_system_calls_that_break_out_are_refused(tier: DockerTier) -> None:
    user = tier.user()

    answered = await run_code(user, SYSTEM_CALLS)

    await user.http.aclose()
    assert {name: how for name, how in answered.items() if how not in ("EPERM", "ENOSYS")} == {}


def control(tier: DockerTier, *security: str) -> dict[str, str]:
    """What the same calls come to in a container of the same image with another profile."""
    output = tier.engine.containers.run(
        tier.image_id,
        entrypoint=["python3", "-I", "-c", CONTROL],
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true", *security],
        remove=True,
    )
    answered: dict[str, str] = json.loads(output)
    return answered


def test_control_without_a_profile_they_get_through(tier: DockerTier) -> None:
    through = {name for name, how in control(tier, "seccomp=unconfined").items() if how == "through"}

    assert through >= {"AF_VSOCK", "io_uring_setup", "personality", "modify_ldt", "userfaultfd", "unshare user"}


def test_control_an_old_engines_own_profile_lets_two_of_them_through(tier: DockerTier) -> None:
    if int(str(tier.engine.version()["Version"]).partition(".")[0]) >= 23:
        pytest.skip("this engine's own profile refuses them")

    through = {name for name, how in control(tier).items() if how == "through"}

    assert through >= {"AF_VSOCK", "io_uring_setup", "modify_ldt", "vmsplice"}
