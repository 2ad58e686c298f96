"""Following a run's log as a client does: events parsed as the HTML standard says, resumed by the last id."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx

STREAM = {"Accept": "text/event-stream"}


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    id: str | None


def parse_event(block: str) -> Event | None:
    """One event (HTML standard, 9.2.6); None for comments and what is no event."""
    fields: dict[str, list[str]] = {}
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        if name:
            fields.setdefault(name, []).append(value.removeprefix(" "))
    if "data" not in fields:
        return None
    return Event(
        fields.get("event", ["message"])[-1], json.loads("\n".join(fields["data"])), fields.get("id", [None])[-1]
    )


async def events_of(response: httpx.Response) -> AsyncIterator[Event]:
    pending = ""
    async for text in response.aiter_text():
        pending += text.replace("\r\n", "\n").replace("\r", "\n")
        *blocks, pending = pending.split("\n\n")
        for block in blocks:
            if (event := parse_event(block)) is not None:
                yield event


async def follow(client: httpx.AsyncClient, run_id: str, last_id: str | None = None) -> list[Event]:
    """Every event of one connection, from the beginning or after `last_id`, until it ends."""
    headers = STREAM | ({} if last_id is None else {"Last-Event-ID": last_id})
    async with client.stream("GET", f"/runs/{run_id}/logs", headers=headers) as response:
        assert response.status_code == 200
        return [event async for event in events_of(response)]
