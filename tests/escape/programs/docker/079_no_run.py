"""Nothing to run.

expect: rejected
"""

value = 1
