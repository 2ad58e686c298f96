"""Compare two versions of a text: unified diff, word changes and a similarity score."""

import difflib
import re
from itertools import zip_longest


class TextComparer:
    def __init__(self, old, new):
        self.__old = old.splitlines()
        self.__new = new.splitlines()

    def unified(self, context=1):
        lines = difflib.unified_diff(self.__old, self.__new, "before", "after", lineterm="", n=context)
        return list(lines)

    @property
    def counts(self):
        added = removed = 0
        for line in self.unified(context=0):
            if line.startswith(("+++", "---")):
                continue
            added += line.startswith("+")
            removed += line.startswith("-")
        return {"added": added, "removed": removed}

    @property
    def similarity(self):
        return difflib.SequenceMatcher(None, "\n".join(self.__old), "\n".join(self.__new)).ratio()

    @staticmethod
    def words(old, new):
        a, b = re.findall(r"\w+|\W", old), re.findall(r"\w+|\W", new)
        parts = []
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b).get_opcodes():
            before, after = "".join(a[i1:i2]), "".join(b[j1:j2])
            if tag == "equal":
                parts.append(before)
            else:
                parts.append("".join(f for f in (f"[-{before}-]" if before else "", f"{{+{after}+}}" if after else "")))
        return "".join(parts)

    def side_by_side(self, width=24):
        for left, right in zip_longest(self.__old, self.__new, fillvalue=""):
            mark = " " if left == right else "|"
            yield f"{left:<{width}.{width}} {mark} {right}"


def run(inputs):
    comparer = TextComparer(inputs["old"], inputs["new"])
    return {
        "diff": comparer.unified(),
        **comparer.counts,
        "similarity": round(comparer.similarity, 3),
        "words": TextComparer.words("The quick fox jumps.", "The slow fox jumps high."),
        "columns": list(comparer.side_by_side()),
        "closest": difflib.get_close_matches("cherries", inputs["new"].split(), n=1, cutoff=0.5),
    }

# inputs: {"old": "apples\npears\nplums\ncherries\nfigs", "new": "apples\npears\ncherry tart\nfigs\ndates"}
# expect: {"diff": ["--- before", "+++ after", "@@ -2,4 +2,4 @@", " pears", "-plums", "-cherries", "+cherry tart", " figs", "+dates"], "added": 2, "removed": 2, "similarity": 0.687, "words": "The [-quick-]{+slow+} fox jumps{+ high+}.", "columns": ["apples                     apples", "pears                      pears", "plums                    | cherry tart", "cherries                 | figs", "figs                     | dates"], "closest": ["cherry"]}
