"""`operator.attrgetter` fetches the method.

Technique: Jinja2 CVE-2025-27516.
expect: failed
control: escapes
"""

import operator


def run(inputs):
    text = operator.attrgetter("format")("{0.__globals__}")(run)
    return {"escaped": text[:60] if "__builtins__" in text else None}
