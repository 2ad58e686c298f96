"""From a permitted module to `sys` without one underscore.

Technique: Zope CVE-2021-32674 (`json.codecs.sys.modules`).
expect: failed
control: escapes
"""

import json


def run(inputs):
    module = json.codecs.sys.modules["os"]
    return {"escaped": repr(module)[:60]}
