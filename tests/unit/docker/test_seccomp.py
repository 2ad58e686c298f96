"""The seccomp profile: refuses by default, and none of what breaks out is on its list."""

import json

from sandbox.docker.seccomp import ALLOWED, ALLOWED_ON_SELF, seccomp_profile

DANGEROUS = {
    "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_settime", "clone3", "delete_module", "fanotify_init",
    "finit_module", "fsconfig", "fsmount", "fsopen", "init_module", "io_setup", "io_uring_enter", "io_uring_register",
    "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_load", "keyctl", "mbind", "migrate_pages", "modify_ldt", "mount",
    "mount_setattr", "move_mount", "move_pages", "mq_open", "msgget", "name_to_handle_at", "open_by_handle_at",
    "open_tree", "perf_event_open", "personality", "pidfd_getfd", "pivot_root", "process_madvise", "process_vm_readv",
    "process_vm_writev", "ptrace", "quotactl", "reboot", "request_key", "semget", "setdomainname", "sethostname",
    "setns", "settimeofday", "shmget", "swapoff", "swapon", "sync", "syslog", "umount", "umount2", "unshare",
    "userfaultfd", "vmsplice",
}  # fmt: skip


def test_everything_is_refused_that_is_not_allowed() -> None:
    profile = json.loads(seccomp_profile())

    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    allowed = {name for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}
    assert not allowed & DANGEROUS
    assert {name for rule in profile["syscalls"] for name in rule["names"]} - allowed == {"clone3"}


def test_calls_on_other_processes_are_allowed_only_on_the_caller() -> None:
    rules = json.loads(seccomp_profile())["syscalls"]

    for name, index in ALLOWED_ON_SELF.items():
        (rule,) = [rule for rule in rules if name in rule["names"]]
        assert rule["args"] == [{"index": index, "value": 0, "op": "SCMP_CMP_EQ"}]


def test_every_name_is_there_once() -> None:
    assert len(set(ALLOWED)) == len(ALLOWED)


def test_sockets_are_of_three_families_and_two_kinds() -> None:
    rules = [rule["args"] for rule in json.loads(seccomp_profile())["syscalls"] if "socket" in rule["names"]]

    assert {args[0]["value"] for args in rules} == {1, 2, 10}
    assert {args[1]["valueTwo"] for args in rules if args[0]["value"] != 1} == {1, 2}
    assert all(len(args) == 3 for args in rules if args[0]["value"] != 1)
