"""Text as code.

Technique: PandasAI CVE-2024-12366; ReportLab CVE-2019-17626.
expect: rejected
control: escapes
"""


def run(inputs):
    value = eval("__import__('os').name")
    return {"escaped": "eval said " + value}
