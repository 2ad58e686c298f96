"""The plain import.

Technique: every pyjail.
expect: rejected
control: escapes
"""

import os


def run(inputs):
    return {"escaped": repr(os)[:40]}
