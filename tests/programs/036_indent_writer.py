"""Generate indented outline and pseudo-code with generator-based context managers."""

from contextlib import contextmanager, suppress
from io import StringIO


class Writer:
    def __init__(self, indent="  "):
        self._buffer = StringIO()
        self._indent = indent
        self._depth = 0

    def line(self, text="", *args, **kwargs):
        content = text.format(*args, **kwargs)
        self._buffer.write(f"{self._indent * self._depth}{content}".rstrip() + "\n")
        return self

    @contextmanager
    def block(self, opening, closing=None):
        self.line(opening)
        self._depth += 1
        try:
            yield self
        finally:
            self._depth -= 1
            if closing:
                self.line(closing)

    @property
    def text(self):
        return self._buffer.getvalue()


@contextmanager
def collecting(errors, *kinds):
    try:
        yield
    except kinds as exc:
        errors.append(f"{type(exc).__name__}: {exc}")


def outline(writer, tree):
    for name, children in tree.items():
        if children:
            with writer.block(name + ":", f"# end {name}"):
                outline(writer, children)
        else:
            writer.line("{0} ({0!r}, {n} chars)", name, n=len(name))


def run(inputs):
    writer = Writer(indent="." * 2)
    outline(writer, inputs["tree"])
    errors = []
    with collecting(errors, ZeroDivisionError, KeyError):
        1 / 0
    with collecting(errors, KeyError):
        inputs["nowhere"]
    with suppress(IndexError):
        [][0]
        errors.append("never reached")
    with collecting(errors), writer.block("tail") as w, suppress(KeyError):
        w.line("last")
    return {"lines": writer.text.splitlines(), "errors": errors}

# inputs: {"tree": {"app": {"views": {"home": {}, "about": {}}, "models": {}}, "docs": {}}}
# expect: {"lines": ["app:", "..views:", "....home ('home', 4 chars)", "....about ('about', 5 chars)", "..# end views", "..models ('models', 6 chars)", "# end app", "docs ('docs', 4 chars)", "tail", "..last"], "errors": ["ZeroDivisionError: division by zero", "KeyError: 'nowhere'"]}
