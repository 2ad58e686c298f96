"""Flatten nested JSON into dotted paths and build it up again."""

import json


def flatten(value, prefix=""):
    """Yield (path, leaf) pairs; list items are addressed as [n]."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from flatten(item, f"{prefix}.{key}" if prefix else key)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from flatten(item, f"{prefix}[{index}]")
    else:
        yield prefix, value


def split_path(path):
    parts = []
    for piece in path.split("."):
        name, *indexes = piece.replace("]", "").split("[")
        if name:
            parts.append(name)
        parts.extend(int(i) for i in indexes)
    return parts


def unflatten(flat):
    root = {}
    for path, leaf in flat.items():
        node = root
        parts = split_path(path)
        for part, following in zip(parts, parts[1:]):
            empty = [] if isinstance(following, int) else {}
            if isinstance(node, list):
                while len(node) <= part:
                    node.append(type(empty)())
                node = node[part]
            else:
                node = node.setdefault(part, empty)
        last = parts[-1]
        if isinstance(node, list):
            node.append(leaf)
        else:
            node[last] = leaf
    return root


def run(inputs):
    document = inputs["document"]
    flat = dict(flatten(document))
    rebuilt = unflatten(flat)
    return {
        "flat": flat,
        "round_trip": rebuilt == document,
        "bytes": len(json.dumps(rebuilt, separators=(",", ":"))),
        "deepest": max(len(split_path(p)) for p in flat),
    }

# inputs: {"document": {"id": 7, "user": {"name": "Ada", "mails": ["a@x.org", "b@y.org"], "tags": []}, "orders": [{"sku": "A", "qty": 2}, {"sku": "B", "options": {"gift": true}}], "note": null}}
# expect: {"flat": {"id": 7, "user.name": "Ada", "user.mails[0]": "a@x.org", "user.mails[1]": "b@y.org", "user.tags": [], "orders[0].sku": "A", "orders[0].qty": 2, "orders[1].sku": "B", "orders[1].options.gift": true, "note": null}, "round_trip": true, "bytes": 149, "deepest": 4}
