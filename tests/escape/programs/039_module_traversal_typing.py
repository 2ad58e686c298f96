"""`typing` imports `sys` under its public name.

Technique: Zope CVE-2021-32674 (traversal through permitted modules).
expect: failed
control: escapes
"""

import typing


def run(inputs):
    return {"escaped": repr(typing.sys)[:60]}
