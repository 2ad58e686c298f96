"""A subclass of str that shows a check one text and the formatter another.

Technique: ReportLab CVE-2023-33733 (str subclass that lies).
expect: failed
control: escapes
"""


class Text(str):
    def __getitem__(self, key):
        return "harmless"

    def __contains__(self, part):
        return False

    def __iter__(self):
        return iter("harmless")

    def __str__(self):
        return "harmless"


def run(inputs):
    text = Text("{0.__globals__}").format(run)
    return {"escaped": text[:60] if "__builtins__" in text else None}
