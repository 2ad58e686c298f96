"""The method is passed on instead of called.

Technique: Jinja2 CVE-2024-56326 (indirect reference to str.format).
expect: failed
control: escapes
"""


def run(inputs):
    text = list(map(str.format, ["{0.__globals__}"], [run]))[0]
    return {"escaped": text[:60] if "__builtins__" in text else None}
