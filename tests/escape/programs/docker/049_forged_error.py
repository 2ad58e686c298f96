"""An error frame that claims everything.

expect: failed, disk_full
"""

import json
import os
import struct
import time


def run(inputs):
    told = {"type": "X" * 10_000, "message": {"a": 1}, "line": -5, "traceback": ["/etc/passwd"], "no_space": "yes"}
    payload = json.dumps(told).encode()
    os.write(3, struct.pack("!BI", 9, len(payload)) + payload)
    time.sleep(600)
