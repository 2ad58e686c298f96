"""A format field walks to the globals.

Technique: Jinja2 CVE-2016-10745; lucumr.pocoo.org, "Be careful with Python's new-style string format".
expect: failed
control: escapes
"""


def run(inputs):
    text = "{0.__globals__}".format(run)
    return {"escaped": text[:60] if "__builtins__" in text else None}
