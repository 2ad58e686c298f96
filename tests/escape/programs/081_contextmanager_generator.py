"""`contextmanager` keeps its generator under a public name.

Technique: RestrictedPython CVE-2023-37271; CPython contextlib `_GeneratorContextManager.gen`.
expect: failed
control: escapes
"""

import contextlib


@contextlib.contextmanager
def managed():
    yield 1


def run(inputs):
    frame = getattr(managed().gen, "gi_frame")
    return {"escaped": repr(frame)[:40] if "frame" in repr(frame) else None}
