"""An f-string walks attributes.

Technique: asteval CVE-2025-24359.
expect: rejected
control: escapes
"""


def run(inputs):
    text = f"{run.__globals__}"
    return {"escaped": text[:60] if "__builtins__" in text else None}
