"""`codecs.open` opens files.

Technique: pyjail class "codecs.open".
expect: contained
control: escapes
"""

import codecs


def run(inputs):
    opener = getattr(codecs, "open", None)
    return {"escaped": repr(opener) if opener is not None else None}
