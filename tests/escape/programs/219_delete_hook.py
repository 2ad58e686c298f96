"""A method that runs when nobody expects it.

Technique: pyjail class "__del__ runs later, elsewhere".
expect: rejected
control: escapes
"""

seen = []


class Made:
    def __del__(self):
        seen.append(1)


def run(inputs):
    Made()
    return {"escaped": "__del__ ran" if seen else None}
