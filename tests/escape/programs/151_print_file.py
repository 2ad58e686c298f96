"""`print` calls methods of the object that it is given.

Technique: RestrictedPython `_print_` class; CTF class "print(file=...)".
expect: failed
control: escapes
"""

seen = []


class Stream:
    def write(self, text):
        seen.append(text)


def run(inputs):
    print("x", file=Stream())
    return {"escaped": "print wrote into an object" if seen else None}
