"""Summarise a service's log lines: levels, slowest requests and repeated errors."""

import re
from collections import Counter

LINE = re.compile(
    r"^(?P<date>\d{4}-\d{2}-\d{2})T(?P<time>[\d:]+)Z\s+"
    r"(?P<level>DEBUG|INFO|WARN|ERROR)\s+\[(?P<module>[\w.]+)\]\s+(?P<message>.*)$"
)
DURATION = re.compile(r"took (\d+)ms")


def parse_lines(text):
    """Return one dict per well-formed line, and how many lines were not."""
    skipped = 0
    records = []
    for raw in text.splitlines():
        match = LINE.match(raw.strip())
        if not match:
            skipped += 1
            continue
        record = match.groupdict()
        found = DURATION.search(record["message"])
        record["duration_ms"] = int(found.group(1)) if found else None
        records.append(record)
    return records, skipped


def run(inputs):
    records, skipped = parse_lines(inputs["log"])
    levels = Counter(r["level"] for r in records)
    errors = Counter(
        re.sub(r"\d+", "#", r["message"]) for r in records if r["level"] == "ERROR"
    )
    timed = [r for r in records if r["duration_ms"] is not None]
    slowest = max(timed, key=lambda r: r["duration_ms"]) if timed else None
    return {
        "levels": dict(sorted(levels.items())),
        "repeated_errors": [
            {"message": message, "count": n} for message, n in errors.most_common() if n > 1
        ],
        "slowest": f"{slowest['module']}: {slowest['duration_ms']} ms" if slowest else None,
        "skipped": skipped,
    }

# inputs: {"log": "2024-03-01T10:00:00Z INFO [api.users] GET /users took 12ms\n2024-03-01T10:00:01Z ERROR [db] timeout on shard 3\n2024-03-01T10:00:02Z ERROR [db] timeout on shard 7\nnot a log line\n2024-03-01T10:00:03Z WARN [api.orders] POST /orders took 840ms\n2024-03-01T10:00:04Z ERROR [mail] bounced"}
# expect: {"levels": {"ERROR": 3, "INFO": 1, "WARN": 1}, "repeated_errors": [{"message": "timeout on shard #", "count": 2}], "slowest": "api.orders: 840 ms", "skipped": 1}
