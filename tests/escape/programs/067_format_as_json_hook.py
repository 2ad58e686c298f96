"""`json.loads` calls the formatter for every number.

Technique: Jinja2 CVE-2024-56326 (formatter handed to a callback).
expect: failed
control: escapes
"""

import json


def run(inputs):
    text = json.loads("1", parse_int="{0.__class__}".format)
    return {"escaped": text if "class" in text else None}
