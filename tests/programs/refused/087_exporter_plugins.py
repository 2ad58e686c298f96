"""Exporters that register themselves by subclassing, chosen by format name."""

import csv
import html
import io
import json


class Exporter:
    registry = {}
    extension = "txt"

    def __init_subclass__(cls, /, formats=(), **kwargs):
        super().__init_subclass__(**kwargs)
        for name in formats:
            if name in Exporter.registry:
                raise TypeError(f"{name} is already registered")
            Exporter.registry[name] = cls

    @classmethod
    def create(cls, name, **options):
        try:
            return cls.registry[name](**options)
        except KeyError:
            known = ", ".join(sorted(cls.registry))
            raise LookupError(f"unknown format {name!r}; known: {known}") from None

    def __init__(self, **options):
        self.options = options

    def export(self, rows):
        raise NotImplementedError(f"{type(self).__name__}.export")


class JsonExporter(Exporter, formats=["json", "js"]):
    extension = "json"

    def export(self, rows):
        return json.dumps(rows, **self.options)


class CsvExporter(Exporter, formats=["csv"]):
    extension = "csv"

    def export(self, rows):
        buffer = io.StringIO(newline="")
        writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n", **self.options)
        writer.writeheader()
        writer.writerows(rows)
        return buffer.getvalue()


class HtmlExporter(Exporter, formats=["html"]):
    extension = "html"

    def export(self, rows):
        def cells(values, tag):
            return "".join(f"<{tag}>{html.escape(str(v))}</{tag}>" for v in values)

        body = "".join(f"<tr>{cells(r.values(), 'td')}</tr>" for r in rows)
        return f"<table><tr>{cells(rows[0], 'th')}</tr>{body}</table>"


class Draft(Exporter, formats=("draft",)):
    pass


def run(inputs):
    out = {}
    for name, options in inputs["formats"].items():
        try:
            exporter = Exporter.create(name, **options)
            out[f"{name} -> .{exporter.extension}"] = exporter.export(inputs["rows"])
        except (LookupError, NotImplementedError) as exc:
            out[name] = f"{type(exc).__name__}: {exc}"
    return out

# inputs: {"formats": {"json": {"indent": 1, "sort_keys": true}, "csv": {"delimiter": ";"}, "html": {}, "draft": {}, "pdf": {}}, "rows": [{"name": "Tea & <Coffee>", "price": 3}, {"name": "Say \"hi\"; now", "price": 4.5}]}
# expect: {"json -> .json": "[\n {\n  \"name\": \"Tea & <Coffee>\",\n  \"price\": 3\n },\n {\n  \"name\": \"Say \\\"hi\\\"; now\",\n  \"price\": 4.5\n }\n]", "csv -> .csv": "name;price\nTea & <Coffee>;3\n\"Say \"\"hi\"\"; now\";4.5\n", "html -> .html": "<table><tr><th>name</th><th>price</th></tr><tr><td>Tea &amp; &lt;Coffee&gt;</td><td>3</td></tr><tr><td>Say &quot;hi&quot;; now</td><td>4.5</td></tr></table>", "draft": "NotImplementedError: Draft.export", "pdf": "LookupError: unknown format 'pdf'; known: csv, draft, html, js, json"}
