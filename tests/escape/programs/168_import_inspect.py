"""The library's own introspection.

Technique: pyjail class "inspect.currentframe".
expect: rejected
control: escapes
"""

import inspect


def run(inputs):
    return {"escaped": repr(inspect.currentframe())[:40]}
