"""The unguarded read, itself reached by name.

Technique: smolagents CVE-2025-9959.
expect: failed
control: escapes
"""


def run(inputs):
    read = getattr(object, "__getattribute__")
    return {"escaped": "globals with " + str(len(read(run, "__globals__")))}
