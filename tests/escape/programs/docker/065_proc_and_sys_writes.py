"""Writes to what the kernel is tuned with.

expect: succeeded
"""

import os


def run(inputs):
    names = (
        "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches",
        "/proc/sys/net/ipv4/ip_forward", "/sys/kernel/uevent_helper", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/cgroup.procs",
        "/sys/fs/cgroup/release_agent", "/sys/kernel/mm/transparent_hugepage/enabled", "/proc/1/oom_score_adj",
        "/proc/1/comm", "/proc/1/clear_refs", "/proc/sys/fs/file-max", "/proc/irq/default_smp_affinity", "/proc/kcore",
    )
    got = []
    for name in names:
        try:
            fd = os.open(name, os.O_WRONLY)
        except OSError:
            continue
        os.close(fd)
        got.append(name)
    assert not got, got
