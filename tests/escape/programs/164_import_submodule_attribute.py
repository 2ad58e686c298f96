"""A permitted parent gives submodules that were loaded for others.

Technique: import-hook bypass class "parent is permitted".
expect: contained
control: escapes
"""

import collections.abc
import json
import urllib.parse


def run(inputs):
    for owner, name in ((urllib, "request"), (urllib.parse, "sys"), (json, "decoder"), (json, "scanner")):
        found = repr(getattr(owner, name, None))
        if " from " in found or "built-in" in found:
            return {"escaped": found[:60]}
    return {"escaped": None}
