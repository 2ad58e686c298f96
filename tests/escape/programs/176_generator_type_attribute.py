"""The class of generators holds the descriptor of their frame.

Technique: RestrictedPython CVE-2023-37271 through the class.
expect: rejected
control: escapes
"""

import types


def run(inputs):
    frame = types.GeneratorType.gi_frame.__get__(i for i in [])
    return {"escaped": repr(frame)[:40]}
