"""Memory that is really written to.

expect: out_of_memory
"""

def run(inputs):
    held = []
    while True:
        held.append(bytearray(b"x" * 1_000_000))
