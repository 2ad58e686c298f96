"""Nothing but work.

expect: timed_out
"""

def run(inputs):
    while True:
        pass
