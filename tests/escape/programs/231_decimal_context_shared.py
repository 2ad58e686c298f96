"""The default context belongs to every later computation.

Technique: decimal.DefaultContext is process-wide.
expect: contained
control: none, it is no way out in cpython either
"""

import decimal


def run(inputs):
    decimal.DefaultContext.prec = 3
    decimal.getcontext().prec = 4
    return {"escaped": None}
