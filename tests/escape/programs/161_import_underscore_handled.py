"""A private module, where the program is ready to miss it.

Technique: RestrictedPython allows `from _io import FileIO`.
expect: rejected
control: escapes
"""

try:
    from _io import FileIO
except ImportError:
    FileIO = None


def run(inputs):
    return {"escaped": repr(FileIO) if FileIO is not None else None}
