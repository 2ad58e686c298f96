"""A star import of a permitted module brings its public names only.

Technique: import-hook bypass class "import *".
expect: contained
control: escapes
"""

from uuid import *


def run(inputs):
    try:
        found = os
    except NameError:
        return {"escaped": None}
    return {"escaped": repr(found)[:60]}
