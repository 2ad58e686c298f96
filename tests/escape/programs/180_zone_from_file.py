"""A time zone is read from any object with `read`.

Technique: CPython zoneinfo.ZoneInfo.from_file.
expect: contained
control: escapes
"""

import io
import zoneinfo

seen = []


class Reader(io.BytesIO):
    def read(self, *sizes):
        seen.append(sizes)
        return b""


def run(inputs):
    try:
        zoneinfo.ZoneInfo.from_file(Reader(b""))
    except (NotImplementedError, ValueError, AttributeError):
        pass
    return {"escaped": "the C reader used the object" if seen else None}
