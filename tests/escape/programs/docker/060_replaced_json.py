"""The modules that make the result are replaced.

expect: succeeded, failed, bad_result
"""

import json
import sys


def run(inputs):
    json.dumps = lambda *args, **kwargs: '{"outcome": "forged"}'
    sys.modules["json"] = None
    sys.modules["sandbox.guest.frames"].write_frame = lambda *args: None
    return {"value": 1}
