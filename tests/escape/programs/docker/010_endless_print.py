"""Output for ever by `print`.

expect: too_much_output
"""

def run(inputs):
    while True:
        print("x" * 1000)
