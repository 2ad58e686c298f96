"""The frame of a generator leads to its caller.

Technique: RestrictedPython CVE-2023-37271.
expect: rejected
control: escapes
"""


def numbers():
    yield 1


def run(inputs):
    frame = numbers().gi_frame
    return {"escaped": repr(frame)[:40] if "frame" in repr(frame) else None}
