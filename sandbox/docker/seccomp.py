"""The system calls that a container may make, as an engine's seccomp profile.

Everything else is refused. An engine's own default profile may let through what has broken out of containers before, or
what reaches past the container: AF_VSOCK sockets, io_uring, personality, modify_ldt, vmsplice, keyrings.

Sources: seccomp.json format of the engine (moby `profiles/seccomp`), syscall tables of Linux 6.18, clone(2), socket(2),
setpriority(2), sched_setaffinity(2), prlimit(2).
"""

import errno
import json
from collections.abc import Iterable
from typing import Any

_FILES = """
access chdir chmod close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate fchdir
fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fstat fstatfs fsync ftruncate
futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl chown
lchown lgetxattr link linkat listxattr llistxattr lseek lstat memfd_create mkdir mkdirat mknod mknodat newfstatat open
openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
rename renameat renameat2 rmdir sendfile splice stat statfs statx symlink symlinkat sync_file_range tee truncate umask
unlink unlinkat utime utimensat utimes write writev
"""
_MEMORY = """
brk madvise mincore mlock mlock2 mmap mprotect mremap msync munlock munmap pkey_alloc pkey_free pkey_mprotect
"""
_PROCESSES = """
arch_prctl execve execveat exit exit_group fork getegid geteuid getgid getgroups getpgid getpgrp getpid getppid
getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid kill pidfd_open pidfd_send_signal prctl rseq
rt_sigqueueinfo rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
sched_getparam sched_getscheduler sched_rr_get_interval sched_yield set_robust_list set_tid_address setpgid setrlimit
setsid tgkill times tkill vfork wait4 waitid getcpu membarrier futex futex_waitv
"""
_SIGNALS_AND_TIME = """
alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep pause restart_syscall rt_sigaction
rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait setitimer sigaltstack signalfd signalfd4 time
timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime
"""
_WAITING_AND_SOCKETS = """
accept accept4 bind connect epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2
getpeername getsockname getsockopt listen poll ppoll pselect6 recvfrom recvmmsg recvmsg select sendmmsg sendmsg sendto
setsockopt shutdown
"""
_THE_REST = "getrandom sysinfo uname"

ALLOWED = tuple(
    sorted(
        " ".join((_FILES, _MEMORY, _PROCESSES, _SIGNALS_AND_TIME, _WAITING_AND_SOCKETS, _THE_REST)).split(),
    )
)
# Only on the caller itself, by the index of the argument that names the process: the guest has the same uid.
ALLOWED_ON_SELF = {
    "ioprio_set": 1,
    "prlimit64": 0,
    "sched_setaffinity": 0,
    "sched_setattr": 0,
    "sched_setparam": 0,
    "sched_setscheduler": 0,
    "setpriority": 1,
}

_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_SOCK_STREAM, _SOCK_DGRAM, _SOCK_TYPE_MASK = 1, 2, 0xF
_TCP, _UDP = 6, 17
# CLONE_NEWTIME is left out: among the flags of clone(2) its bit is part of the exit signal.
_CLONE_NAMESPACES = 0x7E020000
_ACTION_ALLOW, _ACTION_REFUSE = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"


def seccomp_profile() -> str:
    """The profile as the engine takes it in a container's security options: JSON."""
    return json.dumps(
        {
            "defaultAction": _ACTION_REFUSE,
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],  # no 32-bit entries
            "syscalls": [
                _rule(ALLOWED),
                *(_rule([name], _equals(index, 0)) for name, index in ALLOWED_ON_SELF.items()),
                *_socket_rules(),
                _rule(["socketpair"], _equals(0, _AF_UNIX)),
                _rule(["clone"], _masked(0, _CLONE_NAMESPACES, 0)),
                # Its flags are in memory, where no filter sees them; told that it is missing, libc takes clone.
                {"names": ["clone3"], "action": _ACTION_REFUSE, "errnoRet": errno.ENOSYS},
            ],
        }
    )


def _socket_rules() -> Iterable[dict[str, Any]]:
    """Local sockets, and TCP and UDP within the container's own loopback: no other family, no raw ones."""
    yield _rule(["socket"], _equals(0, _AF_UNIX))
    for family in (_AF_INET, _AF_INET6):
        for kind, protocol in ((_SOCK_STREAM, _TCP), (_SOCK_DGRAM, _UDP)):
            for given in (0, protocol):
                yield _rule(["socket"], _equals(0, family), _masked(1, _SOCK_TYPE_MASK, kind), _equals(2, given))


def _rule(names: Iterable[str], *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"names": list(names), "action": _ACTION_ALLOW, "args": list(conditions)}


def _equals(index: int, value: int) -> dict[str, Any]:
    return {"index": index, "value": value, "op": "SCMP_CMP_EQ"}


def _masked(index: int, mask: int, value: int) -> dict[str, Any]:
    return {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}
