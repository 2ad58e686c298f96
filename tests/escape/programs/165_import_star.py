"""A star import takes whatever a module holds.

Technique: import-hook bypass class "import *".
expect: rejected
control: escapes
"""

from asyncio import *


def run(inputs):
    return {"escaped": repr(run_coroutine_threadsafe)[:60]}
