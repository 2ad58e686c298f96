"""A submodule that nobody vetted.

Technique: import-hook bypass class "parent is permitted".
expect: rejected
control: escapes
"""

import urllib.request


def run(inputs):
    return {"escaped": repr(urllib.request)[:60]}
