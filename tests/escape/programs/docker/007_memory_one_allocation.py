"""More than there can be, at once.

expect: out_of_memory
"""

def run(inputs):
    return len("x" * 10**13)
