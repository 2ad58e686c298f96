"""From a class to its bases by the public method `mro`.

Technique: pyjail class "mro walk"; smolagents CVE-2025-5120 (indirect reach of unsafe objects).
expect: failed
control: escapes
"""


def run(inputs):
    bases = type(True).mro()
    return {"escaped": "bases " + str(bases) if len(bases) > 2 else None}
