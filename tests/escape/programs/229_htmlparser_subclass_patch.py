"""A subclass changes its parent through itself.

Technique: shared-library poisoning by inheritance.
expect: failed
control: escapes
"""

from html.parser import HTMLParser


class Mine(HTMLParser):
    pass


def run(inputs):
    parent = getattr(Mine, "__base__")
    parent.feed = lambda self, text: None
    return {"escaped": "HTMLParser was changed"}
