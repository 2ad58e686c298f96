"""`functools.partial` keeps the method.

Technique: Jinja2 CVE-2024-56326.
expect: failed
control: escapes
"""

import functools


def run(inputs):
    text = functools.partial(str.format, "{0.__globals__}")(run)
    return {"escaped": text[:60] if "__builtins__" in text else None}
