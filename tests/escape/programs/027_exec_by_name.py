"""Statements as text.

Technique: PandasAI CVE-2024-12366.
expect: rejected
control: escapes
"""


def run(inputs):
    names = {}
    exec("import os\nvalue = os.name", names)
    return {"escaped": "exec said " + names["value"]}
