"""Not a program.

expect: rejected
"""

def run(inputs:
