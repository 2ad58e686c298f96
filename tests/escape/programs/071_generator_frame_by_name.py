"""The frame of a generator, named at run time.

Technique: RestrictedPython CVE-2023-37271.
expect: failed
control: escapes
"""


def numbers():
    yield 1


def run(inputs):
    frame = getattr(numbers(), "gi_" + "frame")
    return {"escaped": repr(frame)[:40] if "frame" in repr(frame) else None}
