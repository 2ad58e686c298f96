"""`vars` of a library module.

Technique: pyjail class "vars/dir instead of attributes".
expect: rejected
control: escapes
"""

import json


def run(inputs):
    names = vars(json)
    return {"escaped": "json holds " + str(len(names)) + " names"}
