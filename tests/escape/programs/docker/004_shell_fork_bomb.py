"""The classic of the shell.

expect: too_many_processes, timed_out, failed, succeeded
"""

import subprocess


def run(inputs):
    subprocess.run(["/bin/sh", "-c", "b() { b | b & }; b; wait; sleep 600"])
