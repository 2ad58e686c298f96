"""The unguarded read through a `super` proxy.

Technique: RestrictedPython test-suite class "super proxies".
expect: rejected
control: escapes
"""


class Child(dict):
    def leak(self):
        return super().__getattribute__("__class__")


def run(inputs):
    return {"escaped": "read through super: " + str(Child().leak())}
