"""A result far over its limit.

expect: bad_result
"""

def run(inputs):
    return "x" * 20_000_000
