"""The method is fetched by name.

Technique: Jinja2 CVE-2025-27516 (`|attr` to str.format).
expect: failed
control: escapes
"""


def run(inputs):
    text = getattr("{0.__globals__}", "format")(run)
    return {"escaped": text[:60] if "__builtins__" in text else None}
