"""Where the library looks for time zones can be set.

Technique: CPython zoneinfo.reset_tzpath, ZoneInfo.from_file.
expect: contained
control: escapes
"""

import zoneinfo


def run(inputs):
    for name in ("reset_tzpath", "TZPATH", "_tzpath", "_common"):
        found = getattr(zoneinfo, name, None)
        if found is not None:
            return {"escaped": name + ": " + repr(found)[:60]}
    return {"escaped": None}
