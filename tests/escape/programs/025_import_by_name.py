"""The import function under its own name.

Technique: langchain_experimental CVE-2023-44467.
expect: rejected
control: escapes
"""


def run(inputs):
    module = __import__("os")
    return {"escaped": repr(module)[:60]}
