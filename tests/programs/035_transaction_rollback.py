"""A key-value store with nested transactions as context managers that roll back on errors."""


class RollbackRequested(Exception):
    pass


class Store:
    def __init__(self, **initial):
        self._data = dict(initial)
        self._snapshots = []
        self.journal = []

    def transaction(self, name):
        return Transaction(self, name)

    def __getitem__(self, key):
        return self._data[key]

    def __setitem__(self, key, value):
        if value < 0:
            raise ValueError(f"{key} would become {value}")
        self._data[key] = value

    def begin(self):
        self._snapshots.append(dict(self._data))

    def rollback(self):
        self._data = self._snapshots.pop()

    def commit(self):
        self._snapshots.pop()

    def as_dict(self):
        return dict(self._data)


class Transaction:
    def __init__(self, store, name):
        self.store = store
        self.name = name

    def __enter__(self):
        self.store.begin()
        return self.store

    def __exit__(self, exc_type, exc, tb):
        if exc_type is None:
            self.store.commit()
            self.store.journal.append(f"{self.name}: committed")
            return False
        self.store.rollback()
        self.store.journal.append(f"{self.name}: rolled back ({exc_type.__name__}: {exc})")
        return issubclass(exc_type, (RollbackRequested, ValueError))


def run(inputs):
    store = Store(**inputs["stock"])
    for name, changes in inputs["batches"].items():
        with store.transaction(name) as s:
            for key, delta in changes:
                s[key] += delta
    with store.transaction("outer") as outer:
        outer["apples"] += 100
        with store.transaction("inner") as inner:
            inner["apples"] = 0
            raise RollbackRequested("changed my mind")
    failure = None
    try:
        with store.transaction("unknown"):
            store["plums"] += 1
    except KeyError as exc:
        failure = f"missing {exc}"
    return {"stock": store.as_dict(), "journal": store.journal, "failure": failure}

# inputs: {"stock": {"apples": 5, "pears": 3}, "batches": {"first": [["apples", 2], ["pears", -1]], "second": [["apples", 10], ["pears", -9]]}}
# expect: {"stock": {"apples": 107, "pears": 2}, "journal": ["first: committed", "second: rolled back (ValueError: pears would become -7)", "inner: rolled back (RollbackRequested: changed my mind)", "outer: committed", "unknown: rolled back (KeyError: 'plums')"], "failure": "missing 'plums'"}
