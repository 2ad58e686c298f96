"""A read-only view hands the real dict to whoever it is compared with.

Technique: CPython issue 88004 / bpo-43838 (mappingproxy leaks its mapping).
expect: contained
control: escapes
"""

import re

seen = []


class Curious:
    def __eq__(self, other):
        seen.append(other)
        return True


def run(inputs):
    re.RegexFlag.__members__ == Curious()
    if seen and isinstance(seen[0], dict):
        seen[0]["PLANTED"] = 1  # a copy may be changed: what counts is the library's own
    planted = "PLANTED" in re.RegexFlag.__members__
    return {"escaped": "the dict behind a read-only view" if planted else None}
