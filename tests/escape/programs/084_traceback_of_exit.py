"""`__exit__` is handed the traceback.

Technique: pyjail class "__exit__ receives the traceback".
expect: contained
control: escapes
"""

seen = []


class Watch:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        seen.append(repr(traceback))
        return True


def run(inputs):
    with Watch():
        1 / 0
    return {"escaped": seen[0] if "traceback object" in seen[0] else None}
