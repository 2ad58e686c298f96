"""The names of a module as a dict.

Technique: langchain PALChain CVE-2023-36258 (module traversal).
expect: failed
control: escapes
"""

import json


def run(inputs):
    names = getattr(json, "__dict__")
    return {"escaped": "json holds " + str(len(names)) + " names"}
