"""A binary search tree with recursive generators for every traversal order."""


class Tree:
    class _Node:
        def __init__(self, key):
            self.key = key
            self.left = None
            self.right = None

    def __init__(self, keys=()):
        self._root = None
        self._count = 0
        for key in keys:
            self.add(key)

    def add(self, key):
        if self._root is None:
            self._root = self._Node(key)
            self._count += 1
            return True
        node = self._root
        while True:
            if key == node.key:
                return False
            side = "left" if key < node.key else "right"
            child = getattr(node, side)
            if child is None:
                setattr(node, side, self._Node(key))
                self._count += 1
                return True
            node = child

    def __iter__(self):
        return self._in_order(self._root)

    def _in_order(self, node):
        if node:
            yield from self._in_order(node.left)
            yield node.key
            yield from self._in_order(node.right)

    def __reversed__(self):
        yield from list(self)[::-1]

    def levels(self):
        level = [self._root] if self._root else []
        while level:
            yield [n.key for n in level]
            level = [c for n in level for c in (n.left, n.right) if c is not None]

    def height(self, node=...):
        node = self._root if node is ... else node
        return 0 if node is None else 1 + max(self.height(node.left), self.height(node.right))

    def __len__(self):
        return self._count


def run(inputs):
    tree = Tree(inputs["keys"])
    added = tree.add(inputs["keys"][0])
    low, *_, high = tree
    return {
        "sorted": list(tree),
        "reversed": list(reversed(tree)),
        "levels": list(tree.levels()),
        "height": tree.height(),
        "size": len(tree),
        "range": [low, high],
        "added_twice": added,
        "empty": [len(Tree()), Tree().height(), list(Tree())],
        "between": [k for k in tree if 10 <= k < 60],
    }

# inputs: {"keys": [50, 30, 70, 20, 40, 60, 80, 30, 65, 10]}
# expect: {"sorted": [10, 20, 30, 40, 50, 60, 65, 70, 80], "reversed": [80, 70, 65, 60, 50, 40, 30, 20, 10], "levels": [[50], [30, 70], [20, 40, 60, 80], [10, 65]], "height": 4, "size": 9, "range": [10, 80], "added_twice": false, "empty": [0, 0, []], "between": [10, 20, 30, 40, 50]}
