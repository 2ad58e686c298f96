"""The pickle machine itself.

Technique: pickle write-ups; AccessControl denies pickle.
expect: rejected
control: escapes
"""

import pickle


def run(inputs):
    return {"escaped": repr(pickle.loads(b"cbuiltins\ngetattr\n."))}
