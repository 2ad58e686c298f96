"""An encoder gives the generator that the library wrote.

Technique: RestrictedPython CVE-2023-37271 (frames of library generators).
expect: contained
control: escapes
"""

import json


class Slow(json.JSONEncoder):
    def default(self, value):
        return "x"


def run(inputs):
    steps = Slow(indent=1).iterencode([run])
    frame = getattr(steps, "gi_frame", None)
    return {"escaped": repr(frame)[:40] if frame is not None else None}
