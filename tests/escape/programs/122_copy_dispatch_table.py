"""`copy` keeps tables of functions by type, shared by everybody.

Technique: CPython copy `_deepcopy_dispatch`, copyreg.dispatch_table.
expect: contained
control: escapes
"""

import copy


def run(inputs):
    for name in ("_deepcopy_dispatch", "_copy_dispatch", "dispatch_table"):
        table = getattr(copy, name, None)
        if table is not None:
            return {"escaped": "table with " + str(len(table))}
    return {"escaped": None}
