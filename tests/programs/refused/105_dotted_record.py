"""A record whose nested keys read and write like attributes."""

import json
import re
from pprint import pformat


class Record(dict):
    """Dictionary with attribute access; nested dictionaries are wrapped on the way in."""

    def __init__(self, *args, **kwargs):
        super().__init__()
        self.update(*args, **kwargs)

    @staticmethod
    def _wrap(value):
        if isinstance(value, dict) and not isinstance(value, Record):
            return Record(value)
        if isinstance(value, list):
            return [Record._wrap(v) for v in value]
        return value

    def __setitem__(self, key, value):
        super().__setitem__(key, self._wrap(value))

    def update(self, *args, **kwargs):
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no {name!r}; it has {sorted(self)}") from None

    def __setattr__(self, name, value):
        self[name] = value

    def __delattr__(self, name):
        try:
            del self[name]
        except KeyError as exc:
            raise AttributeError(name) from exc

    def dig(self, path, default=None):
        node = self
        for part in re.split(r"[.\[\]]+", path.strip("]")):
            try:
                node = node[int(part) if isinstance(node, list) else part]
            except (KeyError, IndexError, ValueError, TypeError):
                return default
        return node


def run(inputs):
    record = Record(inputs["record"], created=2024)
    record.owner.name = "Grace"
    record.owner.age += 1
    record.tags.append("new")
    record["extra"] = {"deep": {"er": [1, {"x": 2}]}}
    del record.obsolete
    errors = []
    for name in ("obsolete", "missing"):
        try:
            getattr(record, name)
        except AttributeError as exc:
            errors.append(str(exc))
    return {
        "record": json.loads(json.dumps(record)),
        "dug": [record.dig(p, "-") for p in ("extra.deep.er[1].x", "owner.zip", "tags[9]", "tags[0]")],
        "wrapped": type(record.extra.deep.er[1]).__name__,
        "pretty": pformat(dict(record.owner), width=20).splitlines(),
        "errors": errors,
        "has": [hasattr(record, "owner"), hasattr(record, "nothing")],
    }

# inputs: {"record": {"owner": {"name": "Ada", "age": 36}, "tags": ["old"], "obsolete": true}}
# expect: {"record": {"owner": {"name": "Grace", "age": 37}, "tags": ["old", "new"], "created": 2024, "extra": {"deep": {"er": [1, {"x": 2}]}}}, "dug": [2, "-", "-", "old"], "wrapped": "Record", "pretty": ["{'age': 37,", " 'name': 'Grace'}"], "errors": ["Record has no 'obsolete'; it has ['created', 'extra', 'owner', 'tags']", "Record has no 'missing'; it has ['created', 'extra', 'owner', 'tags']"], "has": [true, false]}
