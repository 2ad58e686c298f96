"""An attribute name that was hidden in an encoding.

Technique: pyjail class "codecs and encodings for dunder names".
expect: failed
control: escapes
"""

import codecs


def run(inputs):
    name = codecs.decode("__tybonyf__", "rot13")
    return {"escaped": "globals with " + str(len(getattr(run, name)))}
