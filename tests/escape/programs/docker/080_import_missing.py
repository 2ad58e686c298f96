"""A module that is not in the image.

expect: failed
"""

import no_such_module_anywhere


def run(inputs):
    return no_such_module_anywhere
