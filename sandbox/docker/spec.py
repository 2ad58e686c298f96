"""How a container is made: every restriction of the docker tier in one place."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from docker import APIClient
from docker.types import LogConfig, Ulimit

from sandbox.docker.guest_files import ENTRYPOINT, GUEST_VERSION, PACKAGES
from sandbox.docker.seccomp import seccomp_profile
from sandbox.types import Limits

LEASE_LABEL = "glovebox.lease"
GUEST_LABEL = "glovebox.guest"

# What the guest and the modules that it imports ahead may take, beside what the limits give to a run.
GUEST_MEMORY_BYTES = 256 * 1024 * 1024
_GUEST_PROCESSES = 1
# gVisor's own threads count against the limit of the container; at fewer it dies of a fork bomb (exit status 2).
_GVISOR_PROCESSES = 512
_DESCRIPTORS_MAX = 1024
_DISK_BYTES_PER_FILE = 4096
_CPUS = 1.0
# Half of the usual weight: what the containers do goes behind what the engine's other containers do.
_CPU_SHARES = 512
# Any uid will do, as long as containers differ: per-uid resources of the kernel are shared by all who have it. Engines
# that map users give the range below 65,536.
_UID_MIN, _UID_COUNT = 20_000, 40_000
_ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108 - the container's own
    "TMPDIR": "/tmp",  # noqa: S108 - the container's own, as in all of this module
    "USER": "agent",
    "LOGNAME": "agent",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    # Threads of numeric libraries do not survive a fork, and count against the run's processes.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What cannot change while a container lives: limits, and whether packages and large modules are imported ahead.

    They cost every run some milliseconds, because forking takes longer the more memory the guest has.
    """

    memory_bytes_max: int
    processes_max: int
    disk_bytes_max: int
    packages: bool

    @classmethod
    def of(cls, limits: Limits, *, packages: bool) -> "Shape":
        """The shape that runs with these limits need."""
        return cls(limits.memory_bytes_max, limits.processes_max, limits.disk_bytes_max, packages)

    @property
    def fitting(self) -> tuple["Shape", ...]:
        """The shapes of containers that will do, best first: packages that are not used do no harm."""
        return (self,) if self.packages else (self, replace(self, packages=True))


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the engine starts containers with: a name that it lists, whether it is gVisor, and limits that it lacks.

    `cgroup_parent` is the control group that containers are made in; None leaves it to the engine.
    """

    name: str
    is_gvisor: bool
    lacks: tuple[str, ...] = ()
    cgroup_parent: str | None = None


def guest_command(shape: Shape) -> tuple[str, ...]:
    """What a container of this shape runs."""
    return (*ENTRYPOINT, PACKAGES) if shape.packages else ENTRYPOINT


def container_config(api: APIClient, *, image_id: str, runtime: Runtime, shape: Shape, lease: str) -> Mapping[str, Any]:
    """The arguments of `APIClient.create_container` for one container.

    Args:
        api: builds the host configuration for the engine's version of the protocol.
        image_id: digest of the image.
        runtime: what starts it.
        shape: what runs in it may use.
        lease: of the process that the container is to live and die with.
    """
    uid = _UID_MIN + secrets.randbelow(_UID_COUNT)
    return {
        "image": image_id,
        "entrypoint": list(guest_command(shape)),
        "command": [],
        "user": f"{uid}:{uid}",
        "working_dir": "/tmp",  # noqa: S108 - as above
        "hostname": "glovebox",
        "environment": dict(_ENVIRONMENT),
        "labels": {LEASE_LABEL: lease, GUEST_LABEL: GUEST_VERSION},
        "stdin_open": True,
        "network_disabled": True,
        "use_config_proxy": False,
        "stop_signal": "SIGKILL",  # nothing in it is worth the 10 s that an engine which stops would wait for
        "host_config": _host_config(api, runtime, shape),
    }


def _host_config(api: APIClient, runtime: Runtime, shape: Shape) -> Mapping[str, Any]:
    # Files in a tmpfs are memory of the container, too: a full disk must not look like used up memory.
    memory_bytes = shape.memory_bytes_max + shape.disk_bytes_max + GUEST_MEMORY_BYTES
    processes = shape.processes_max + _GUEST_PROCESSES
    return api.create_host_config(
        runtime=runtime.name,  # `create_container` takes it too, and sends it where no engine looks
        network_mode="none",
        ipc_mode="private",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true", f"seccomp={seccomp_profile()}"],
        read_only=True,
        tmpfs={place: _tmpfs(shape) for place in ("/tmp", "/dev/shm")},  # noqa: S108 - as above
        mem_limit=memory_bytes,
        memswap_limit=memory_bytes,
        pids_limit=max(processes, _GVISOR_PROCESSES) if runtime.is_gvisor else processes,
        nano_cpus=int(_CPUS * 1e9),
        cpu_shares=_CPU_SHARES,
        cgroup_parent=runtime.cgroup_parent,
        # A core size of 1 byte is no core file, and the one value with which the kernel starts no core helper either.
        ulimits=[_ulimit("core", 1), _ulimit("nofile", _DESCRIPTORS_MAX), _ulimit("msgqueue", 0)],
        log_config=LogConfig(type=LogConfig.types.NONE),
        restart_policy={"Name": "no"},
        init=False,
    )


def _tmpfs(shape: Shape) -> str:
    files = max(16, shape.disk_bytes_max // _DISK_BYTES_PER_FILE)
    return f"rw,nosuid,nodev,noexec,size={shape.disk_bytes_max},nr_inodes={files},mode=1777"


def _ulimit(name: str, value: int) -> Ulimit:
    return Ulimit(name=name, soft=value, hard=value)
