"""The loader that imported a module.

Technique: pyjail class "__loader__.load_module" (hxp CTF audited).
expect: failed
control: escapes
"""

import json


def run(inputs):
    loader = getattr(json, "__loader__")
    return {"escaped": repr(loader)[:60] if loader is not None else None}
