"""The walk in the format specification of an f-string.

Technique: asteval CVE-2025-24359 (on_formattedvalue).
expect: rejected
control: escapes
"""


class Wide:
    def __format__(self, specification):
        return specification


def run(inputs):
    text = f"{Wide():{run.__globals__}}"
    return {"escaped": text[:60] if "__builtins__" in text else None}
