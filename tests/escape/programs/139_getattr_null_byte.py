"""A name with a NUL character, in case that a check and a reader cut it differently.

Technique: null-byte class of filter bypasses.
expect: contained
control: none, cpython does not cut names either
"""


def run(inputs):
    found = getattr(run, "__globals__\0", None)
    return {"escaped": "globals" if found is not None else None}
