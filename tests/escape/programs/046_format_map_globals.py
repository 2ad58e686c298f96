"""The same walk by `format_map`.

Technique: Jinja2 CVE-2019-10906; RestrictedPython 6.1 (CVE-2023-41039).
expect: failed
control: escapes
"""


def run(inputs):
    text = "{f.__globals__}".format_map({"f": run})
    return {"escaped": text[:60] if "__builtins__" in text else None}
