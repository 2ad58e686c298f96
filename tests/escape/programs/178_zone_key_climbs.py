"""A key of a time zone that climbs to any file.

Technique: zoneinfo key traversal class (bpo-40536 validation of keys).
expect: contained
control: none, cpython checks the key
"""

import zoneinfo


def run(inputs):
    for key in ("../../../../etc/passwd", "/etc/passwd", "Etc/../../../../etc/passwd", "\0", "."):
        try:
            return {"escaped": "zone " + str(zoneinfo.ZoneInfo(key))}
        except Exception:
            continue
    return {"escaped": None}
