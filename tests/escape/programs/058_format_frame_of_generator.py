"""A format field reaches a generator's frame.

Technique: RestrictedPython CVE-2023-37271 with CVE-2023-41039.
expect: failed
control: escapes
"""


def numbers():
    yield 1


def run(inputs):
    text = "{0.gi_frame}".format(numbers())
    return {"escaped": text[:60] if "frame" in text else None}
