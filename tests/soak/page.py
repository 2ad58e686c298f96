"""The page that tells of a soak, from its record alone."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

Record = Mapping[str, Any]
MIB = 1024**2
METHOD = """
A server process with {tiers}, on a PostgreSQL of its own that waits for its disk, takes all that users do, at once:
plain invocations, the example agents, dry runs, idempotency keys, memory, files, calls between agents, runs that are
followed over a connection that is cut, lists, agents made and deleted, clients that hang up, and 5 % abuse. First as
fast as {clients} clients can, for {measured_s:.0f} s, the load generator on the same machine: {measured:.0f} actions/s.
Then at {share:.0%} of that, at random moments, whether earlier ones were answered or not. Latencies count from the
moment that a call was due. A bare start, the yardstick, is this interpreter started and ended, once a second: by as
much as that became slower the machine did, and calls may, too.
"""


def render(record: Record) -> str:
    """The page as Markdown."""
    parts = [_head(record), _verdict(record), _minutes(record), _calls(record), _tables(record)]
    return "\n\n".join(parts) + "\n"


def _head(record: Record) -> str:
    plan, machine, measured = record["plan"], record["machine"], record["rate_measured_per_s"]
    faults = ", ".join(
        f"{name} {told['count']:.0f} times (over after {told['slowest_s']:.1f} s at most)"
        for name, told in record["faults"].items()
    )
    minutes = plan["seconds"] / 60
    tiers = "monty, restricted and docker" if plan["docker"] else "monty and restricted"
    told = METHOD.format(
        tiers=tiers, clients=plan["clients"], measured_s=plan["measured_s"], measured=measured, share=plan["share"]
    )
    load = f"{record['calls']:,} actions of {plan['members']} users"
    return f"""# Soak

Written by `make soak` from the figures in [soak.json](soak.json); not edited by hand.

{fill(told.strip(), 118)}

| | |
|---|---|
| when | {record["made_at"]} |
| machine | {machine["cores"]} cores, Linux {machine["kernel"]}, Python {machine["python"]} |
| load | {minutes:.1f} min at {record["rate_per_s"]:.1f} actions/s: {load} |
| faults | {faults or "none"} |
| beside a fault | {record["borne"]} calls told to come again, or that their run was lost; nothing else |"""


def _verdict(record: Record) -> str:
    lines = ["## Verdict", "", f"**{'Held' if record['held'] else 'Not held'}.**", ""]
    lines += ["| check | found | allowed | held |", "|---|---|---|---|"]
    for check in record["checks"]:
        held = ("yes" if check["held"] else "**no**") + ("" if check["counts"] else ", told only")
        lines.append(f"| {check['name']} | {check['found']} | {check['allowed']} | {held} |")
    if record["unexpected"]:
        lines += ["", "Unexpected:", "", "```", *record["unexpected"], "```"]
    if record["errors_logged"]:
        told = ", ".join(f"`{event}` {count}" for event, count in sorted(record["errors_logged"].items()))
        lines += ["", f"Errors that the server logged, faults included: {told}."]
    return "\n".join(lines)


def _minutes(record: Record) -> str:
    kinds = list(record["samples"][0]["latencies_ms"]) if record["samples"] else []
    latencies = " | ".join(f"{kind} p50 / p99 ms" for kind in kinds)
    lines = [
        "## Samples",
        "",
        "Of the server's process, at each moment; latencies of the calls since the sample before, without those that a"
        " fault disturbed. Sandboxes are all processes below the server's.",
        "",
        f"| s | calls | {latencies} | RSS MiB | USS MiB | descriptors | threads | sandboxes | theirs USS MiB"
        " | containers | connections | temporary files | database MiB | faults |",
        "|" + "---|" * (13 + len(kinds)),
    ]
    rest = [("before", record["rest"][0]), *((f"{row['at_s']:.0f}", row) for row in record["samples"])]
    lines += [_line(name, row, kinds) for name, row in [*rest, ("after", record["rest"][1])]]
    return "\n".join(lines)


def _line(name: str, row: Record, kinds: Sequence[str]) -> str:
    latencies = [row.get("latencies_ms", {}).get(kind, [None, None]) for kind in kinds]
    cells = [
        name,
        row.get("calls", ""),
        *(" / ".join("-" if value is None else f"{value:.1f}" for value in pair) for pair in latencies),
        f"{row['rss'] / MIB:.1f}",
        f"{row['uss'] / MIB:.1f}",
        *(row[key] for key in ("descriptors", "threads", "sandboxes")),
        f"{row['sandboxes_uss'] / MIB:.1f}",
        *(row[key] for key in ("containers", "connections", "files")),
        f"{sum(row['tables'].values()) / MIB:.1f}",
        ", ".join(row.get("faults", [])),
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def _calls(record: Record) -> str:
    lines = ["## Actions", "", "| action | times |", "|---|---|"]
    lines += [f"| {kind} | {count:,} |" for kind, count in sorted(record["kinds"].items(), key=lambda item: -item[1])]
    return "\n".join(lines)


def _tables(record: Record) -> str:
    before, after = (sample["tables"] for sample in record["rest"])
    lines = ["## Tables", "", "With their indexes, in MiB.", "", "| table | before | after |", "|---|---|---|"]
    grown = sorted(after, key=lambda name: -after[name])
    lines += [f"| {name} | {before.get(name, 0) / MIB:.2f} | {after[name] / MIB:.2f} |" for name in grown]
    return "\n".join(lines)
