"""The frame of a coroutine.

Technique: RestrictedPython CVE-2023-37271.
expect: rejected
control: escapes
"""


async def later():
    return 1


def run(inputs):
    waiting = later()
    frame = waiting.cr_frame
    waiting.close()
    return {"escaped": repr(frame)[:40] if "frame" in repr(frame) else None}
