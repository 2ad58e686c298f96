"""Override settings for a block of code and restore them afterwards, nested and on errors too."""

from contextlib import contextmanager


class Settings:
    def __init__(self, **values):
        self._values = dict(values)
        self._watchers = []

    def __getitem__(self, name):
        return self._values[name]

    def watch(self, func):
        self._watchers.append(func)
        return func

    def _change(self, name, value):
        old = self._values.get(name)
        if value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = value
        if old != value:
            for func in self._watchers:
                func(name, old, value)

    @contextmanager
    def override(self, **changes):
        before = {name: self._values.get(name) for name in changes}
        for name, value in changes.items():
            self._change(name, value)
        try:
            yield self
        finally:
            for name, value in before.items():
                self._change(name, value)


def price(settings, amount):
    return f"{settings['symbol']}{amount * settings['rate']:.{settings['digits']}f}"


def run(inputs):
    settings = Settings(symbol="$", rate=1.0, digits=2)
    changes = []
    seen = {"plain": price(settings, 10)}

    @settings.watch
    def note(name, old, new):
        changes.append(f"{name}: {old} -> {new}")

    with settings.override(symbol="€", rate=inputs["rate"]):
        seen["euro"] = price(settings, 10)
        with settings.override(digits=0) as inner:
            seen["round"] = price(inner, 10)
        try:
            with settings.override(symbol=None):
                price(settings, 10)
        except KeyError as exc:
            seen["broken"] = f"no {exc.args[0]}"
        seen["again"] = price(settings, 10)
    seen["after"] = price(settings, 10)
    return {"prices": seen, "changes": changes, "count": len(changes)}

# inputs: {"rate": 0.925}
# expect: {"prices": {"plain": "$10.00", "euro": "€9.25", "round": "€9", "broken": "no symbol", "again": "€9.25", "after": "$10.00"}, "changes": ["symbol: $ -> €", "rate: 1.0 -> 0.925", "digits: 2 -> 0", "digits: 0 -> 2", "symbol: € -> None", "symbol: None -> €", "symbol: € -> $", "rate: 0.925 -> 1.0"], "count": 8}
