"""Build safe HTML with a fluent, nestable builder."""

from contextlib import contextmanager
from html import escape, unescape

VOID = {"br", "img", "input", "hr"}


class Markup(str):
    def __add__(self, other):
        return Markup(super().__add__(other if isinstance(other, Markup) else escape(other)))

    def __radd__(self, other):
        return Markup(escape(other)) + self


class Element:
    def __init__(self, tag, *children, **attributes):
        self._tag = tag
        self._children = list(children)
        self._attributes = {k.rstrip("_").replace("_", "-"): v for k, v in attributes.items()}

    def add(self, *children):
        if self._tag in VOID:
            raise ValueError(f"<{self._tag}> takes no children")
        self._children.extend(children)
        return self

    def __call__(self, *children):
        return self.add(*children)

    def __lshift__(self, child):
        self.add(child)
        return self

    def __str__(self):
        parts = [self._tag]
        for name, value in self._attributes.items():
            if value is True:
                parts.append(name)
            elif value not in (False, None):
                parts.append(f'{name}="{escape(str(value))}"')
        opening = f"<{' '.join(parts)}>"
        if self._tag in VOID:
            return opening
        inner = "".join(str(c) if isinstance(c, (Element, Markup)) else escape(str(c), quote=False) for c in self._children)
        return f"{opening}{inner}</{self._tag}>"


class Html:
    """html.div(...) creates a <div>."""

    def __getattr__(self, tag):
        return lambda *children, **attributes: Element(tag, *children, **attributes)


@contextmanager
def within(parent, tag, **attributes):
    element = Element(tag, **attributes)
    yield element
    parent.add(element)


def run(inputs):
    html = Html()
    page = html.div(class_="card", data_id=7, hidden=False)(html.h1(inputs["title"]))
    with within(page, "ul") as items:
        for text in inputs["items"]:
            items << html.li(text)
    page.add(html.br(), html.input(type="text", value=inputs["value"], disabled=True))
    try:
        html.hr("x").add("y")
    except ValueError as exc:
        error = str(exc)
    return {"html": str(page), "error": error, "markup": str(Markup("<b>") + "<i>" + Markup("</b>")), "radd": str("a<b" + Markup("<br>")),
            "unescaped": unescape("&lt;caf&eacute;&gt; &amp; &#128512;")}

# inputs: {"title": "Fish & <Chips>", "items": ["one", "<two>"], "value": "say \"hi\""}
# expect: {"html": "<div class=\"card\" data-id=\"7\"><h1>Fish &amp; &lt;Chips&gt;</h1><ul><li>one</li><li>&lt;two&gt;</li></ul><br><input type=\"text\" value=\"say &quot;hi&quot;\" disabled></div>", "error": "<hr> takes no children", "markup": "<b>&lt;i&gt;</b>", "radd": "a&lt;b<br>", "unescaped": "<café> & 😀"}
