"""A logging format in brace style walks the record.

Technique: Be careful with str.format (logging formats from users).
expect: contained
control: escapes
"""

import logging


def run(inputs):
    make = getattr(logging, "makeLogRecord", None)
    if make is None:
        return {"escaped": None}
    text = logging.Formatter("{msg.__globals__}", style="{").format(make({"msg": run}))
    return {"escaped": text[:60] if "__builtins__" in text else None}
