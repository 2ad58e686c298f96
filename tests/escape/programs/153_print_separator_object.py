"""`print` gets objects that see what it joins.

Technique: RestrictedPython `_print_` class.
expect: contained
control: none, cpython takes texts only
"""

seen = []


class Separator:
    def join(self, parts):
        seen.extend(type(part) for part in parts)
        return ""


def run(inputs):
    try:
        print(run, inputs, 1, sep=Separator())
    except TypeError:
        pass
    return {"escaped": str(seen) if any(kind is not str for kind in seen) else None}
