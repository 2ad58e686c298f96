"""CPU time and memory are counted for the process that used them, ended children included."""

import os
import subprocess
import sys

from bench.processes import read_cpu_times, read_processes, tree_of, unique_bytes

BURN = "import time\nwhile time.process_time() < 0.3: pass"
KEEP = "kept = bytearray(64 * 1024**2)\nkept[::4096] = b'x' * len(kept[::4096])\nprint('kept', flush=True)\ninput()"


def test_what_a_child_used_counts_after_its_end() -> None:
    before = read_cpu_times(os.getpid(), database_pid=0)

    subprocess.run([sys.executable, "-I", "-c", BURN], check=True, timeout=60)

    used = read_cpu_times(os.getpid(), database_pid=0).since(before)
    assert used["sandboxes"] >= 0.28  # the clock of these counters ticks every 10 ms
    assert used["machine"] >= 0.25
    assert used["database"] == 0


def test_memory_is_that_which_the_process_has_for_itself() -> None:
    command = [sys.executable, "-I", "-c", KEEP]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()

        assert 64 <= unique_bytes(child.pid) / 1024**2 < 96
        assert child.pid in tree_of(read_processes(), [os.getpid()])

        child.communicate("\n", timeout=60)


def test_a_tree_of_nothing_is_empty() -> None:
    assert tree_of(read_processes(), [0, 2**30]) == set()
