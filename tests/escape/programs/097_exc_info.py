"""The interpreter tells of the exception in flight.

Technique: pyjail class "sys.exc_info()[2].tb_frame".
expect: rejected
control: escapes
"""

from sys import exc_info


def run(inputs):
    try:
        1 / 0
    except ZeroDivisionError:
        found = exc_info()[2]
    return {"escaped": repr(found)[:40] if "traceback object" in repr(found) else None}
