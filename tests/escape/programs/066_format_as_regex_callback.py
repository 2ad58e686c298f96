"""`re.sub` calls the formatter with a match object.

Technique: Jinja2 CVE-2024-56326 (formatter handed to a callback).
expect: failed
control: escapes
"""

import re


def run(inputs):
    text = re.sub("x", "{0.__class__}".format, "x")
    return {"escaped": text if "class" in text else None}
