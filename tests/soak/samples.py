"""What a server holds at a moment: memory, descriptors, processes, containers, connections, files, rows."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from docker import DockerClient

from tests.acceptance.docker_tier import LEASE_LABEL
from tests.support.database import Database
from tests.support.processes import GONE, children_of, descendants_of, stat_of

Identity = tuple[int, str]  # of a process: its number, and when it began

_CONNECTIONS = "select count(*) from pg_stat_activity where usename = 'glovebox_login' and datname = %s"
_TABLES = (
    "select c.relname, pg_total_relation_size(c.oid) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " where n.nspname = 'public' and c.relkind = 'r'"
)


@dataclass(frozen=True)
class Sample:
    """One look. Sizes in bytes; `at_s` since the load began; sandboxes are every process below the server."""

    at_s: float
    rss: int
    uss: int
    descriptors: int
    threads: int
    sandboxes: int
    sandboxes_uss: int
    zombies: int
    containers: int
    connections: int
    files: int
    tables: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """Where to look: the server's process, its database, the directory for temporary files, and the engine."""

    pid: int
    database: Database
    scratch: Path
    engine: DockerClient | None
    owner: str  # how the leases of all servers of this database begin


def look(site: Site, at_s: float) -> Sample:
    """A sample; what the database has is 0 where it is away."""
    below = descendants_of(site.pid)
    rss, uss = memory_of(site.pid)
    connections, tables = _database(site.database)
    return Sample(
        at_s=round(at_s, 1),
        rss=rss,
        uss=uss,
        descriptors=len(os.listdir(f"/proc/{site.pid}/fd")),  # noqa: PTH208 - names are enough
        threads=len(os.listdir(f"/proc/{site.pid}/task")),  # noqa: PTH208 - as above
        sandboxes=len(below),
        sandboxes_uss=sum(memory_of(pid)[1] for pid in below),
        zombies=zombies_of(site.pid),
        containers=len(containers_of(site.engine, site.owner)) if site.engine else 0,
        connections=connections,
        files=sum(len(names) for _, _, names in os.walk(site.scratch)),
        tables=tables,
    )


def identities(pids: Iterable[int]) -> set[Identity]:
    """Those of the processes that live: proc_pid_stat(5), field 22. A number alone may be another process's by now."""
    stats = {pid: stat_of(pid) for pid in pids}
    return {(pid, stat[19]) for pid, stat in stats.items() if stat and stat[0] not in ("Z", "X")}


def zombies_of(pid: int) -> int:
    """Children that ended and that nobody asked about."""
    return sum(stat_of(child)[:1] == ["Z"] for child in children_of(pid, zombies=True))


def memory_of(pid: int) -> tuple[int, int]:
    """Resident bytes of a process, and those that no other one shares; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (*GONE, PermissionError):
        return 0, 0
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in text.splitlines()[1:] if line.endswith("kB")}
    return sizes["Rss"], sizes["Private_Clean"] + sizes["Private_Dirty"]


def owner_of(database: Database) -> str:
    """How the leases of all servers of this database begin."""
    with psycopg.connect(database.login_url) as conn:
        (names,) = conn.execute("select glovebox.live_servers()").fetchone() or ([],)
    return str(names[0]).partition(".")[0]


def containers_of(engine: DockerClient, owner: str) -> list[str]:
    """Ids of the containers of all servers of a database, in whatever state."""
    found = engine.api.containers(all=True, filters={"label": LEASE_LABEL})
    return [str(row["Id"]) for row in found if str(row["Labels"][LEASE_LABEL]).startswith(f"{owner}.")]


def _database(database: Database) -> tuple[int, dict[str, int]]:
    try:
        with psycopg.connect(database.superuser_url) as conn:
            (connections,) = conn.execute(_CONNECTIONS, [database.name]).fetchone() or (0,)
            return connections, dict(conn.execute(_TABLES).fetchall())
    except psycopg.OperationalError:
        return 0, {}
