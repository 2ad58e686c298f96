"""A missing time zone tells which file was looked for.

Technique: error objects with host paths.
expect: contained
control: none, cpython keeps the path to itself
"""

import zoneinfo


def run(inputs):
    try:
        zoneinfo.ZoneInfo("Etc/../../../../etc/passwd")
    except Exception as error:
        seen = str(error) + " ".join(str(part) for part in error.args)
    return {"escaped": seen if "/usr" in seen or "site-packages" in seen else None}
