"""Memory and any C function.

Technique: pyjail class "ctypes".
expect: rejected
control: escapes
"""

import ctypes


def run(inputs):
    return {"escaped": repr(ctypes.CDLL(None))[:60]}
