"""The globals of a library function lead to the interpreter's modules.

Technique: Zope GHSA-rpcg-f9q6-2mq6 / CVE-2021-32674 (traversal through permitted modules).
expect: failed
control: escapes
"""

import json


def run(inputs):
    names = getattr(json.dumps, "__globals__")
    return {"escaped": "json globals: " + str(sorted(names)[:3])}
