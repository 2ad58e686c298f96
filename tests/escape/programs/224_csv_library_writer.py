"""A writer of the library calls methods of any object.

Technique: CTF class "objects handed to C code".
expect: contained
control: none, it is no way out in cpython either
"""

import csv

seen = []


class Stream:
    def write(self, text):
        seen.append(type(text))
        return run


def run(inputs):
    row = csv.writer(Stream()).writerow(["a", "b"])
    return {"escaped": repr(row) if row is not run or seen[0] is not str else None}
