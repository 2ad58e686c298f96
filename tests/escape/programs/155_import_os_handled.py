"""An import that the program is ready to miss.

Technique: PandasAI CVE-2024-12366; imports inside try.
expect: contained
control: escapes
"""

try:
    import os
except ImportError:
    os = None


def run(inputs):
    return {"escaped": repr(os)[:40] if os is not None else None}
