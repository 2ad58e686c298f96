"""Layer configuration from defaults, profile and overrides, with attribute access to nested keys."""

from collections import ChainMap
from collections.abc import Mapping


class Section(Mapping):
    """Read-only view of nested mappings: section.key and section["key"] both work."""

    def __init__(self, *layers, path=""):
        self._chain = ChainMap(*layers)
        self._path = path

    def __getitem__(self, key):
        try:
            value = self._chain[key]
        except KeyError:
            raise KeyError(f"{self._path}{key}") from None
        if isinstance(value, dict):
            layers = [m[key] for m in self._chain.maps if isinstance(m.get(key), dict)]
            return Section(*layers, path=f"{self._path}{key}.")
        return value

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as exc:
            raise AttributeError(f"no setting {exc.args[0]}") from exc

    def __iter__(self):
        return iter(sorted(self._chain))

    def __len__(self):
        return len(self._chain)

    def to_dict(self):
        return {k: v.to_dict() if isinstance(v, Section) else v for k, v in self.items()}

    def with_override(self, dotted, value):
        *parents, last = dotted.split(".")
        layer = {last: value}
        for parent in reversed(parents):
            layer = {parent: layer}
        return Section(layer, *self._chain.maps)


def run(inputs):
    config = Section(inputs["profiles"][inputs["profile"]], inputs["defaults"])
    for dotted, value in inputs["overrides"].items():
        config = config.with_override(dotted, value)
    try:
        config.db.password
    except AttributeError as exc:
        missing = str(exc)
    return {
        "effective": config.to_dict(),
        "host": config.db.host,
        "port": config["db"]["port"],
        "fallback": [config.get("colour", "grey"), getattr(config, "size", 12), hasattr(config, "db")],
        "missing": missing,
        "keys": list(config),
        "layers": len(config._chain.maps),
        "equal": Section({"a": 1}) == {"a": 1},
    }

# inputs: {"profile": "test", "defaults": {"debug": false, "db": {"host": "localhost", "port": 5432, "pool": {"min": 1, "max": 5}}, "name": "app"}, "profiles": {"test": {"debug": true, "db": {"host": "test.db"}}, "prod": {}}, "overrides": {"db.pool.max": 9, "name": "app2"}}
# expect: {"effective": {"db": {"host": "test.db", "pool": {"max": 9, "min": 1}, "port": 5432}, "debug": true, "name": "app2"}, "host": "test.db", "port": 5432, "fallback": ["grey", 12, true], "missing": "no setting db.password", "keys": ["db", "debug", "name"], "layers": 4, "equal": true}
