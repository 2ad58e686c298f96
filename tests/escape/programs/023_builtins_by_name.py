"""The builtins under their global name.

Technique: langchain CVE-2023-44467 (`__import__` and `__builtins__` by name).
expect: rejected
control: escapes
"""


def run(inputs):
    found = __builtins__
    return {"escaped": repr(found)[:60] if "built-in" in repr(found) or "eval" in found else None}
