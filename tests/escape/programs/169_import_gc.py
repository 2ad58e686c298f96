"""Every object that the collector knows.

Technique: pyjail class "gc.get_objects".
expect: rejected
control: escapes
"""

import gc


def run(inputs):
    return {"escaped": "the collector knows %d objects" % len(gc.get_objects())}
