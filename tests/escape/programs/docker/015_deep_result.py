"""A result that nests deeper than anything that reads it.

expect: bad_result
"""

def run(inputs):
    value = []
    for _ in range(100_000):
        value = [value]
    return value
