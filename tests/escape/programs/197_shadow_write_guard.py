"""A positional-only parameter switches the write guard off.

Technique: RestrictedPython 8.3 (CVE-2026-55830, GHSA-ffg3-p8fm-mjx2).
expect: failed
control: escapes
"""

import json


def patch(_write_, library, /):
    library.dumps = patch


def run(inputs):
    patch(lambda value: value, json)
    return {"escaped": "json.dumps was replaced" if json.dumps is patch else None}
