"""A `with` statement assigns to an attribute of the library.

Technique: RestrictedPython test-suite class "assignment targets".
expect: failed
control: escapes
"""

import contextlib
import json


def run(inputs):
    with contextlib.nullcontext(run) as json.dumps:
        pass
    return {"escaped": "json.dumps was replaced" if json.dumps is run else None}
