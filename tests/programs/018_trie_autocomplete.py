"""Autocomplete search terms from a trie weighted by popularity."""

from typing import Dict, Iterator, List, Optional, Tuple


class TrieNode:
    def __init__(self) -> None:
        self.children: Dict[str, "TrieNode"] = {}
        self.weight: int = 0


class Trie:
    def __init__(self, words: Optional[Dict[str, int]] = None) -> None:
        self._root = TrieNode()
        self._size = 0
        for word, weight in (words or {}).items():
            self.insert(word, weight)

    def insert(self, word: str, weight: int = 1) -> None:
        node = self._root
        for letter in word.lower():
            if letter not in node.children:
                node.children[letter] = TrieNode()
            node = node.children[letter]
        if node.weight == 0:
            self._size += 1
        node.weight += weight

    def _find(self, prefix: str) -> Optional[TrieNode]:
        node = self._root
        for letter in prefix.lower():
            node = node.children.get(letter)
            if node is None:
                return None
        return node

    def _walk(self, node: TrieNode, prefix: str) -> Iterator[Tuple[str, int]]:
        if node.weight:
            yield prefix, node.weight
        for letter in sorted(node.children):
            yield from self._walk(node.children[letter], prefix + letter)

    def suggest(self, prefix: str, limit: int = 3) -> List[str]:
        node = self._find(prefix)
        if node is None:
            return []
        found = sorted(self._walk(node, prefix.lower()), key=lambda item: (-item[1], item[0]))
        return [word for word, _ in found[:limit]]

    def __contains__(self, word: str) -> bool:
        node = self._find(word)
        return node is not None and node.weight > 0

    def __len__(self) -> int:
        return self._size


def run(inputs: dict) -> dict:
    trie = Trie(inputs["terms"])
    trie.insert("carpet", 30)
    trie.insert("car", 2)
    return {
        "size": len(trie),
        "suggestions": {p: trie.suggest(p) for p in inputs["prefixes"]},
        "known": ["cart" in trie, "ca" in trie],
    }

# inputs: {"terms": {"car": 10, "cart": 4, "care": 12, "cat": 20, "Dog": 5, "do": 5}, "prefixes": ["ca", "car", "D", "x", ""]}
# expect: {"size": 7, "suggestions": {"ca": ["carpet", "cat", "car"], "car": ["carpet", "car", "care"], "D": ["do", "dog"], "x": [], "": ["carpet", "cat", "car"]}, "known": [true, false]}
