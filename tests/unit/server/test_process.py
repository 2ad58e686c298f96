"""What a long-lived process does to itself."""

import subprocess
import sys


def test_nothing_beside_the_event_loop_may_hold_it_for_long() -> None:
    """In a process of its own, as it is for good."""
    code = (
        "import gc, sys\nfrom server.process import keep_loop_free\nkeep_loop_free()\n"
        "print(gc.get_freeze_count() > 1_000, sys.getswitchinterval() <= 0.001)"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.split() == ["True", "True"]
