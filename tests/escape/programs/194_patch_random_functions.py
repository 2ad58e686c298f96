"""The source of chance is replaced.

Technique: shared-library poisoning.
expect: failed
control: escapes
"""

import random


def run(inputs):
    random.random = lambda: 0.5
    return {"escaped": "random.random was replaced" if random.random() == 0.5 else None}
