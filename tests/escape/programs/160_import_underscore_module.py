"""A private module behind a public one.

Technique: RestrictedPython allows `from _io import FileIO`.
expect: rejected
control: escapes
"""

from _io import FileIO


def run(inputs):
    return {"escaped": repr(FileIO)}
