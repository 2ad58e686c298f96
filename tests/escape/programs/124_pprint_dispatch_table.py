"""`PrettyPrinter` finds its methods in one table for the whole process.

Technique: CPython pprint `_dispatch`; shared-library poisoning.
expect: contained
control: escapes
"""

import pprint


def run(inputs):
    table = getattr(pprint.PrettyPrinter, "_dispatch", None)
    return {"escaped": "table with " + str(len(table)) if table is not None else None}
