"""A permitted module gives the modules that it imported itself.

Technique: fromlist class of import-hook bypasses.
expect: rejected
control: escapes
"""

from json import codecs


def run(inputs):
    return {"escaped": repr(codecs)[:60]}
