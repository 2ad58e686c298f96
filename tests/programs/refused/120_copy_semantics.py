"""Prototype documents cloned shallowly and deeply, with custom copy hooks and identity checks."""

import copy
from typing import Any


class Style:
    _pool: dict[str, "Style"] = {}

    def __new__(cls, name: str) -> "Style":
        if name not in cls._pool:
            style = super().__new__(cls)
            style.name = name
            style.uses = 0
            cls._pool[name] = style
        return cls._pool[name]

    def __deepcopy__(self, memo: dict) -> "Style":
        return self


class Paragraph:
    def __init__(self, text: str, style: str = "body") -> None:
        self.text = text
        self.style = Style(style)
        self.style.uses += 1


class Document:
    def __init__(self, title: str, *paragraphs: Paragraph, **meta: Any) -> None:
        self.title = title
        self.paragraphs = list(paragraphs)
        self.meta = meta
        self._parent: Document | None = None

    def __copy__(self) -> "Document":
        clone = type(self)(self.title, *self.paragraphs, **self.meta)
        clone._parent = self
        return clone

    def branch(self, **changes: Any) -> "Document":
        clone = copy.deepcopy(self)
        for name, value in changes.items():
            if not hasattr(clone, name):
                raise AttributeError(f"documents have no {name}")
            setattr(clone, name, value)
        return clone

    @property
    def ancestry(self) -> list[str]:
        return [self.title, *(self._parent.ancestry if self._parent else [])]


def run(inputs):
    original = Document(inputs["title"], *(Paragraph(*p) for p in inputs["paragraphs"]), tags=["a"])
    shallow, deep = copy.copy(original), original.branch(title="Deep")
    shallow.title = "Shallow"
    shallow.paragraphs.append(Paragraph("extra"))
    original.paragraphs[0].text = "changed"
    original.meta["tags"] += ["b"]
    nested = [[0] * 2] * 2
    independent = copy.deepcopy(nested)
    nested[0][0] = independent[1][1] = 9
    try:
        original.branch(colour="red")
    except AttributeError as exc:
        error = str(exc)
    return {
        "texts": {d.title: [p.text for p in d.paragraphs] for d in (original, shallow, deep)},
        "tags": [shallow.meta["tags"], deep.meta["tags"]],
        "styles": {n: s.uses for n, s in Style._pool.items()},
        "shared": [deep.paragraphs[0].style is original.paragraphs[0].style, deep.paragraphs[0] is original.paragraphs[0]],
        "ancestry": copy.copy(shallow).ancestry,
        "rows": [nested, independent],
        "error": error,
    }

# inputs: {"title": "Report", "paragraphs": [["Hello"], ["Intro", "head"], ["Bye", "body"]]}
# expect: {"texts": {"Report": ["changed", "Intro", "Bye"], "Shallow": ["changed", "Intro", "Bye", "extra"], "Deep": ["Hello", "Intro", "Bye"]}, "tags": [["a", "b"], ["a"]], "styles": {"body": 3, "head": 1}, "shared": [true, false], "ancestry": ["Shallow", "Shallow", "Report"], "rows": [[[9, 0], [9, 0]], [[0, 9], [0, 9]]], "error": "documents have no colour"}
