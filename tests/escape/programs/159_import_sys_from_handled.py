"""The same, where the program is ready to miss it.

Technique: fromlist class of import-hook bypasses.
expect: contained
control: escapes
"""

try:
    from contextlib import sys as found
except ImportError:
    found = None


def run(inputs):
    return {"escaped": repr(found)[:60] if found is not None else None}
