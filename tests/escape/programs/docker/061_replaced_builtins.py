"""Builtins that everything uses are replaced.

expect: failed, succeeded, bad_result, timed_out
"""

import builtins


def run(inputs):
    for name in ("len", "isinstance", "str", "dict", "open", "print", "type", "getattr", "next", "any"):
        setattr(builtins, name, lambda *args, **kwargs: 1 / 0)
    return {"value": 1}
