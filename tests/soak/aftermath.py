"""What must be true once a soak's load is over: of the database, of what the server logged, and of what it leaves."""

import asyncio
import json
import os
import signal
from collections import Counter
from pathlib import Path

import psycopg

from agents_store.postgres.admin import audit_balances
from tests.acceptance.running import eventually
from tests.soak.ground import Ground
from tests.soak.notes import Notes
from tests.soak.samples import Identity, containers_of, identities
from tests.support.database import Database

STOPPED_S_MAX = 60.0
LOST = "lost"  # what a run that ended through no fault of its program is told as, and stored with
TAKEN_APART_S = 2.0
_SUMS = {
    "runs without an end": "select count(*) from public.runs where outcome is null",
    "microcredits still held": "select coalesce(sum(held_microcredits), 0) from public.credit_accounts",
    "accounts that are not grants minus charges": (
        "select count(*) from public.credit_accounts a where a.available_microcredits <> ("
        " select coalesce(sum(case e.kind when 'grant' then e.amount_microcredits"
        " when 'settle' then -e.amount_microcredits else 0 end), 0)"
        " from public.credit_entries e where e.user_id = a.user_id)"
    ),
    "holds not closed once": (
        "select count(*) from (select h.id from public.credit_entries h left join public.credit_entries c"
        " on c.hold_id = h.id where h.kind = 'hold' group by h.user_id, h.id having count(c.id) <> 1) as wrong"
    ),
    "runs charged otherwise than the ledger says": (
        "select count(*) from public.runs r left join public.credit_entries e on e.run_id = r.id and e.kind = 'settle'"
        " where r.parent_run_id is null and r.charge_microcredits <> coalesce(e.amount_microcredits, 0)"
    ),
}


async def wrong_in(database: Database, notes: Notes) -> dict[str, int]:
    """What does not agree in the database, once every run has had the time to end."""

    def found() -> dict[str, int]:
        with psycopg.connect(database.superuser_url) as conn:
            sums = {name: int((conn.execute(sql).fetchone() or (0,))[0]) for name, sql in _SUMS.items()}
            rows = conn.execute("select id, outcome::text, reason from public.runs")
            stored = {str(run_id): LOST if reason == LOST else outcome for run_id, outcome, reason in rows}
        otherwise = sum(stored.get(run_id) != outcome for run_id, outcome in notes.outcomes.items())
        return {**sums, "runs stored otherwise than they were answered": otherwise}

    async def ended() -> bool:
        sums = await asyncio.to_thread(found)
        return not sums["runs without an end"]

    await eventually(ended)
    return {
        **await asyncio.to_thread(found),
        "balances that an audit refuses": len(await audit_balances(database.owner_url)),
    }


async def left_by(ground: Ground, below: set[Identity]) -> dict[str, int]:
    """Stop the server, and count what it leaves."""
    ground.process.signal(signal.SIGTERM)
    await asyncio.to_thread(ground.process.popen.wait, STOPPED_S_MAX)
    await asyncio.sleep(TAKEN_APART_S)  # the kernel takes a sandbox's processes apart
    site = ground.site
    return {
        "processes": len(below & identities(pid for pid, _ in below)),
        "containers": len(containers_of(site.engine, site.owner)) if site.engine else 0,
        "files": sum(len(names) for _, _, names in os.walk(site.scratch)),
    }


def errors_in(log: Path) -> dict[str, int]:
    """How often each error was logged, by its event."""
    counts: Counter[str] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        if '"error"' not in line and '"critical"' not in line:
            continue
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if told.get("level") in ("error", "critical"):
            counts[str(told.get("event"))] += 1
    return dict(counts)
