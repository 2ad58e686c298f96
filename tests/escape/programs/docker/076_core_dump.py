"""A crash that asks for a core file.

expect: failed
"""

import os
import resource


def run(inputs):
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        pass
    os.abort()
