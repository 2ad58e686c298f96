"""`codecs.register` changes what every later conversion of text does.

Technique: pyjail class "encodings and codecs"; CPython codecs registry.
expect: contained
control: escapes
"""

import codecs


def run(inputs):
    for name in ("register", "register_error", "lookup", "getreader"):
        found = getattr(codecs, name, None)
        if found is not None:
            return {"escaped": repr(found)}
    return {"escaped": None}
