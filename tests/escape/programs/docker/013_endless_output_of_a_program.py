"""Output for ever by another program.

expect: too_much_output
"""

import subprocess


def run(inputs):
    subprocess.run(["/usr/bin/yes"])
