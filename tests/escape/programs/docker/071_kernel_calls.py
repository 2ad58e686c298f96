"""Calls that have broken out of containers, or that reach past one.

expect: succeeded
"""

import ctypes

CALLS = {
    "modify_ldt": 154, "personality": 135, "vmsplice": 278, "add_key": 248, "request_key": 249, "keyctl": 250,
    "userfaultfd": 323, "bpf": 321, "perf_event_open": 298, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "open_by_handle_at": 304, "name_to_handle_at": 303, "init_module": 175,
    "finit_module": 313, "kexec_load": 246, "swapon": 167, "reboot": 169, "settimeofday": 164, "clock_settime": 227,
    "adjtimex": 159, "iopl": 172, "ioperm": 173, "acct": 163, "quotactl": 179, "syslog": 103, "sethostname": 170,
    "shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240, "io_setup": 206, "fanotify_init": 300, "setuid": 105,
    "setgid": 106, "capset": 126, "memfd_secret": 447, "move_pages": 279, "migrate_pages": 256, "mbind": 237,
    "landlock_create_ruleset": 444, "fsopen": 430, "quotactl_fd": 443, "process_mrelease": 448, "lookup_dcookie": 212,
    "sync": 162, "setxattr": 188, "seccomp": 317,
}


def run(inputs):
    libc = ctypes.CDLL(None, use_errno=True)
    got = []
    for name, number in CALLS.items():
        ctypes.set_errno(0)
        libc.syscall(number, ctypes.c_long(0x40000), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0))
        if ctypes.get_errno() not in (1, 38):
            got.append((name, ctypes.get_errno()))
    assert not got, got
