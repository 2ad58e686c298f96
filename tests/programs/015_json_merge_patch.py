"""Apply merge patches and simple add/remove/replace operations to a document."""

import copy


class PatchError(Exception):
    pass


def merge(target, patch):
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def resolve(document, pointer):
    """Walk to the parent of what the pointer names; return it with the last key."""
    *path, last = [p.replace("~1", "/").replace("~0", "~") for p in pointer.lstrip("/").split("/")]
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    if isinstance(document, list):
        last = len(document) if last == "-" else int(last)
    return document, last


def apply_operations(document, operations):
    document = copy.deepcopy(document)
    for step, op in enumerate(operations, 1):
        try:
            parent, key = resolve(document, op["path"])
            match op:
                case {"op": "add", "value": value} if isinstance(parent, list):
                    parent.insert(key, value)
                case {"op": "add" | "replace", "value": value}:
                    parent[key] = value
                case {"op": "remove"}:
                    del parent[key]
                case {"op": "test", "value": value}:
                    assert parent[key] == value, f"test failed: {parent[key]!r}"
                case {"op": other}:
                    raise PatchError(f"unknown operation {other}")
        except (KeyError, IndexError) as exc:
            raise PatchError(f"step {step}: nothing at {op['path']}") from exc
        except AssertionError as exc:
            raise PatchError(f"step {step}: {exc}") from exc
    return document


def run(inputs):
    before = inputs["document"]
    outcome = {"merged": merge(before, inputs["merge"]), "patched": []}
    for operations in inputs["operations"]:
        try:
            outcome["patched"].append(apply_operations(before, operations))
        except PatchError as exc:
            outcome["patched"].append(str(exc))
    outcome["unchanged"] = before == {"title": "A", "tags": ["x", "y"], "author": {"name": "Z", "age": 3}}
    return outcome

# inputs: {"document": {"title": "A", "tags": ["x", "y"], "author": {"name": "Z", "age": 3}}, "merge": {"title": "B", "author": {"age": null, "city": "Rome"}}, "operations": [[{"op": "add", "path": "/tags/-", "value": "z"}, {"op": "remove", "path": "/author/age"}, {"op": "replace", "path": "/title", "value": "C"}], [{"op": "test", "path": "/title", "value": "Q"}], [{"op": "remove", "path": "/missing/deep"}], [{"op": "move", "path": "/title"}]]}
# expect: {"merged": {"title": "B", "tags": ["x", "y"], "author": {"name": "Z", "city": "Rome"}}, "patched": [{"title": "C", "tags": ["x", "y", "z"], "author": {"name": "Z"}}, "step 1: test failed: 'A'", "step 1: nothing at /missing/deep", "unknown operation move"], "unchanged": true}
