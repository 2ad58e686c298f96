"""Decorators call what no call expression names.

Technique: pyjail class "decorators instead of calls" (`@exec @input`).
expect: rejected
control: escapes
"""

import json


def source(function):
    return "planted.append(1)"


planted = []


@exec
@source
def anything():
    pass


def run(inputs):
    return {"escaped": "the text ran" if planted else None}
