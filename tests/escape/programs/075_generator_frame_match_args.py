"""`__match_args__` names the frame for a positional pattern; an abstract base claims every generator.

Technique: RestrictedPython CVE-2023-37271; PEP 634.
expect: contained
control: escapes
"""

from abc import ABC


class Claims(ABC):
    __match_args__ = ("gi_frame",)


Claims.register(type(i for i in []))


def run(inputs):
    match (i for i in []):
        case Claims(frame):
            return {"escaped": repr(frame)[:40] if "frame" in repr(frame) else None}
    return {"escaped": None}
