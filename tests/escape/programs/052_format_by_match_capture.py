"""A class pattern captures the method.

Technique: Jinja2 CVE-2024-56326; PEP 634 class patterns read attributes.
expect: failed
control: escapes
"""


def run(inputs):
    match "{0.__globals__}":
        case str(format=method):
            text = method(run)
        case _:
            text = ""
    return {"escaped": text[:60] if "__builtins__" in text else None}
