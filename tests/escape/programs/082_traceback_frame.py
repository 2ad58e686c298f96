"""The traceback of an exception leads to frames.

Technique: pyjail class "__traceback__.tb_frame" (HackTricks).
expect: rejected
control: escapes
"""


def run(inputs):
    try:
        1 / 0
    except ZeroDivisionError as error:
        frame = error.__traceback__.tb_frame
    return {"escaped": repr(frame)[:40]}
