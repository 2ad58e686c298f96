"""What a generator returns travels in the exception.

Technique: RestrictedPython CVE-2023-37271; StopIteration.value.
expect: failed
control: escapes
"""


def numbers():
    return (i for i in [])
    yield


def run(inputs):
    try:
        next(numbers())
    except StopIteration as end:
        frame = getattr(end.value, "gi_frame")
    return {"escaped": repr(frame)[:40] if "frame" in repr(frame) else None}
