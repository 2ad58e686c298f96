"""The walk hides in a nested format specification.

Technique: asteval CVE-2025-24359; Jinja2 CVE-2016-10745.
expect: failed
control: escapes
"""


class Wide:
    def __format__(self, specification):
        return specification


def run(inputs):
    text = "{0:{1.__globals__}}".format(Wide(), run)
    return {"escaped": text[:60] if "__builtins__" in text else None}
