"""The same by double star.

Technique: RestrictedPython `_print_` class.
expect: failed
control: escapes
"""

seen = []


class Stream:
    def write(self, text):
        seen.append(text)


def run(inputs):
    print(*["x"], **{"file": Stream()})
    return {"escaped": "print wrote into an object" if seen else None}
