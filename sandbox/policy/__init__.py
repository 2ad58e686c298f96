"""What agent code may say: RestrictedPython behind a front that rewrites everyday Python into its subset.

Defence in depth and good error messages; the wall is the kernel's.
"""

from sandbox.policy.builtins import guest_globals
from sandbox.policy.compile import Compiled, compile_program
from sandbox.policy.facades import MODULES, preload, randomness_used, stop_clock
from sandbox.policy.rewrite_names import author_name

__all__ = [
    "MODULES",
    "Compiled",
    "author_name",
    "compile_program",
    "guest_globals",
    "preload",
    "randomness_used",
    "stop_clock",
]
