"""The loader of the program's own module.

Technique: pyjail class "__loader__ / __spec__ names".
expect: rejected
control: escapes
"""


def run(inputs):
    loader = __loader__
    return {"escaped": repr(loader)[:60] if loader is not None else None}
