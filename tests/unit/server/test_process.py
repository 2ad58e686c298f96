"""What a long-lived process does to itself, and to the event loop's rivals."""

import subprocess
import sys

from server.offload import SWITCH_S, offload


def test_what_is_there_for_good_is_not_collected_again() -> None:
    """In a process of its own, as it is for good."""
    code = (
        "import gc\nfrom server.process import keep_loop_free\nkeep_loop_free()\nprint(gc.get_freeze_count() > 1_000)"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.split() == ["True"]


async def test_piece_hands_the_interpreter_over_sooner_than_threads_do() -> None:
    usual_s = sys.getswitchinterval()

    assert await offload(sys.getswitchinterval) == SWITCH_S < usual_s
    assert sys.getswitchinterval() == usual_s
