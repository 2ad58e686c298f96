"""`operator.methodcaller` fetches the method.

Technique: Jinja2 CVE-2025-27516; CVE-2024-56326.
expect: failed
control: escapes
"""

import operator


def run(inputs):
    text = operator.methodcaller("format", run)("{0.__globals__}")
    return {"escaped": text[:60] if "__builtins__" in text else None}
