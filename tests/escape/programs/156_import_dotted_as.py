"""A dotted import binds the inner module.

Technique: CTF class "import os.path as p".
expect: rejected
control: escapes
"""

import os.path as path


def run(inputs):
    return {"escaped": repr(path)[:40]}
