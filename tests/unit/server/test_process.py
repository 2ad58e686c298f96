"""What a long-lived process does to itself, and to the event loop's rivals."""

import subprocess
import sys

from sandbox.offload import SWITCH_S, offload

# With much there already, in a process of its own: it is for good.
STANDING = """
import gc
from server.process import keep_loop_free
there = [[] for _ in range(1_000_000)]
keep_loop_free()
frozen, whole = gc.get_freeze_count(), gc.get_stats()[2]["collections"]
more = [[] for _ in range(200_000)]
print(frozen > len(there), gc.get_stats()[2]["collections"] > whole)
"""


def test_what_is_there_for_good_is_not_collected_and_keeps_no_garbage_back() -> None:
    """Python collects all generations once a quarter has come to what is there: that must not count what is frozen."""
    said = subprocess.run([sys.executable, "-c", STANDING], capture_output=True, text=True, check=True).stdout

    assert said.split() == ["True", "True"]


async def test_piece_hands_the_interpreter_over_sooner_than_threads_do() -> None:
    usual_s = sys.getswitchinterval()

    assert await offload(sys.getswitchinterval) == SWITCH_S < usual_s
    assert sys.getswitchinterval() == usual_s
