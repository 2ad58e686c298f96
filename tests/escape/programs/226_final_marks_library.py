"""`typing.final` sets an attribute on whatever it decorates.

Technique: shared-library poisoning; CPython typing.final.
expect: contained
control: escapes
"""

import json
import typing


def run(inputs):
    typing.final(json.loads)
    marked = getattr(json.loads, "__final__", None)
    return {"escaped": "json.loads was marked" if marked else None}
