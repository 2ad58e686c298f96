"""The unguarded read of attributes that every object inherits.

Technique: smolagents CVE-2025-9959; Jinja2 sandbox write-ups.
expect: rejected
control: escapes
"""


def run(inputs):
    names = object.__getattribute__(run, "__globals__")
    return {"escaped": "globals with " + str(len(names))}
