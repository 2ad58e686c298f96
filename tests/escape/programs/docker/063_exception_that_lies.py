"""An exception whose every method raises.

expect: failed
"""

class Lie(BaseException):
    def __str__(self):
        raise SystemExit(0)

    __repr__ = __str__

    @property
    def __traceback__(self):
        raise SystemExit(0)


def run(inputs):
    raise Lie
