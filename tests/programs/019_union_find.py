"""Group user accounts that share a mail address or phone, with union-find."""


class DisjointSet:
    def __init__(self):
        self._parent = {}
        self._rank = {}

    def find(self, item):
        self._parent.setdefault(item, item)
        self._rank.setdefault(item, 0)
        root = item
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[item] != root:
            self._parent[item], item = root, self._parent[item]
        return root

    def union(self, a, b):
        a, b = self.find(a), self.find(b)
        if a == b:
            return False
        if self._rank[a] < self._rank[b]:
            a, b = b, a
        self._parent[b] = a
        if self._rank[a] == self._rank[b]:
            self._rank[a] += 1
        return True

    def groups(self):
        out = {}
        for item in self._parent:
            out.setdefault(self.find(item), []).append(item)
        return list(out.values())


def run(inputs):
    accounts = {a["id"]: a for a in inputs["accounts"]}
    sets = DisjointSet()
    merges = 0
    for account_id, account in accounts.items():
        sets.find(("account", account_id))
        for field in ("mail", "phone"):
            value = account.get(field)
            if not value:
                continue
            merges += sets.union(("account", account_id), (field, value.lower()))
    people = []
    for group in sets.groups():
        ids = sorted(value for kind, value in group if kind == "account")
        contacts = sorted({value for kind, value in group if kind != "account"})
        people.append({"accounts": ids, "contacts": contacts})
    people.sort(key=lambda p: (-len(p["accounts"]), p["accounts"]))
    return {"people": people, "merges": merges}

# inputs: {"accounts": [{"id": 1, "mail": "ada@x.org", "phone": "555-1"}, {"id": 2, "mail": "bob@x.org"}, {"id": 3, "phone": "555-1", "mail": "lovelace@y.org"}, {"id": 4, "mail": "LOVELACE@y.org"}, {"id": 5}]}
# expect: {"people": [{"accounts": [1, 3, 4], "contacts": ["555-1", "ada@x.org", "lovelace@y.org"]}, {"accounts": [2], "contacts": ["bob@x.org"]}, {"accounts": [5], "contacts": []}], "merges": 6}
