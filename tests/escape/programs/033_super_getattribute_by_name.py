"""The unguarded read through a `super` proxy, named at run time.

Technique: RestrictedPython test-suite class "super proxies".
expect: failed
control: escapes
"""


class Child(dict):
    def leak(self):
        return getattr(super(), "__getattribute__")("__class__")


def run(inputs):
    return {"escaped": "read through super: " + str(Child().leak())}
