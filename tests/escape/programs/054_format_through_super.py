"""A subclass of str asks its parent for the method.

Technique: RestrictedPython CVE-2023-41039; CVE-2026-76825 (through `super`).
expect: failed
control: escapes
"""


class Text(str):
    def fill(self, value):
        return super().format(value)


def run(inputs):
    text = Text("{0.__globals__}").fill(run)
    return {"escaped": text[:60] if "__builtins__" in text else None}
