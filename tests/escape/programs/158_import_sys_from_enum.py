"""`sys` as a name of a permitted module.

Technique: fromlist class of import-hook bypasses.
expect: rejected
control: escapes
"""

from enum import sys


def run(inputs):
    return {"escaped": repr(sys)[:60]}
