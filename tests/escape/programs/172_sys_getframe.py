"""Frames, streams and the path out of `sys`.

Technique: microsoft/agent-governance-toolkit pull 2631; pyjail class "sys._getframe".
expect: contained
control: escapes
"""

import sys


def run(inputs):
    for name in ("_getframe", "modules", "path", "stdout", "settrace", "_current_frames", "meta_path", "argv"):
        found = getattr(sys, name, None)
        if found is not None:
            return {"escaped": name + ": " + repr(found)[:40]}
    return {"escaped": None}
