"""A class pattern captures the frame.

Technique: RestrictedPython CVE-2023-37271; PEP 634 class patterns read attributes.
expect: contained
control: escapes
"""


def run(inputs):
    match (i for i in []):
        case object(gi_frame=frame):
            return {"escaped": repr(frame)[:40]}
    return {"escaped": None}
