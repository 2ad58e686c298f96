"""Open any number of resources with ExitStack and release them in reverse order, even on errors."""

from contextlib import ExitStack, closing, nullcontext

LOG = []


class Resource:
    opened = 0

    def __init__(self, name, fails=None):
        self.name = name
        self._fails = fails

    def __enter__(self):
        if self._fails == "open":
            raise OSError(f"cannot open {self.name}")
        type(self).opened += 1
        LOG.append(f"open {self.name}")
        return self

    def __exit__(self, *exc_info):
        type(self).opened -= 1
        failed = exc_info[0].__name__ if exc_info[0] else "fine"
        LOG.append(f"close {self.name} ({failed})")
        return self._fails == "swallow"

    def use(self):
        if self._fails == "use":
            raise RuntimeError(f"{self.name} broke")
        return self.name.upper()


class Session:
    def close(self):
        LOG.append("session closed")


def work(specs):
    with ExitStack() as stack:
        stack.callback(LOG.append, "clean up")
        session = stack.enter_context(closing(Session()))
        resources = [stack.enter_context(Resource(*spec)) for spec in specs]
        quiet = stack.enter_context(nullcontext("nothing to close"))
        return [r.use() for r in resources], type(session).__name__, quiet
    return "swallowed"


def guarded():
    try:
        with Resource("inner") as r:
            return r.use()
    finally:
        LOG.append("finally")


def run(inputs):
    outcomes = []
    for specs in inputs["jobs"]:
        try:
            result = work(specs)
        except OSError as exc:
            result = f"not opened: {exc}"
        except RuntimeError as exc:
            result = f"not finished: {exc}"
        else:
            LOG.append("no error")
        outcomes.append({"result": result, "log": LOG[:]})
        LOG.clear()
    return {"outcomes": outcomes, "guarded": guarded(), "log": LOG, "left_open": Resource.opened}

# inputs: {"jobs": [[["a"], ["b"]], [["a"], ["b", "open"], ["c"]], [["a", "swallow"], ["b", "use"]], [["a", "use"]]]}
# expect: {"outcomes": [{"result": [["A", "B"], "Session", "nothing to close"], "log": ["open a", "open b", "close b (fine)", "close a (fine)", "session closed", "clean up", "no error"]}, {"result": "not opened: cannot open b", "log": ["open a", "close a (OSError)", "session closed", "clean up"]}, {"result": "swallowed", "log": ["open a", "open b", "close b (RuntimeError)", "close a (RuntimeError)", "session closed", "clean up", "no error"]}, {"result": "not finished: a broke", "log": ["open a", "close a (RuntimeError)", "session closed", "clean up"]}], "guarded": "INNER", "log": ["open inner", "close inner (fine)", "finally"], "left_open": 0}
