"""Globals, imports, loops and handlers bind the names of guards.

Technique: RestrictedPython CVE-2026-55830; guard hooks found by name.
expect: failed
control: escapes
"""

import json
from copy import copy as _getattr_

_write_ = lambda value: value
for _getiter_ in [iter]:
    pass


def run(inputs):
    global _write_
    _write_ = lambda value: value
    json.dumps = run
    return {"escaped": "json.dumps was replaced" if json.dumps is run else None}
