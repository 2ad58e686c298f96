"""What `glovebox doctor` looks at. Every check is bounded, and says what follows from what it found and what to do."""

import asyncio
import os
import pwd
import resource
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
from pydantic import ValidationError

from agents_store.embedded.account import SERVICE_USER, ServiceAccount
from agents_store.embedded.data_dir import locate, prepare_data_dir
from agents_store.embedded.installation import find_programs
from agents_store.errors import StoreError
from server.auth.errors import AuthError
from server.auth.factory import build_verifier
from server.auth.issuer import KEY_FILE_NAME
from server.auth.key_file import read_private
from server.cli.client import ClientSettings
from server.cli.diagnosis_tiers import check_tiers
from server.cli.findings import Finding, Level
from server.settings import Settings
from server.stores import open_store

OPEN_FILES_MIN = 4096
CHECK_TIMEOUT_S = 30.0
HTTP_TIMEOUT_S = 3.0
SETTINGS_FILE = Path(".env")
SWAPS_FILE = Path("/proc/swaps")


async def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which a person would look.

    An empty data directory is taken over, as `glovebox serve` would; nothing else is changed.
    """
    return [
        check_python(),
        check_open_files(),
        *check_swap(),
        *(await check_tiers(settings)),
        *check_sandbox_uid(settings),
        *(await check_database(settings)),
        check_issuer(settings),
        *check_secrets(settings),
        *check_exposure(settings),
        await check_server(),
    ]


def check_python() -> Finding:
    """Guest and host are built for one version of Python."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] == (3, 11):
        return Finding("python", Level.OK, version)
    return Finding("python", Level.FAIL, f"{version}, Glovebox needs 3.11", "make the environment with Python 3.11")


def check_open_files() -> Finding:
    """Connections, sandboxes and the database all cost descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard >= OPEN_FILES_MIN:
        return Finding("open files", Level.OK, f"up to {hard}")
    detail = f"at most {hard}, so about {hard // 2} connections at once"
    return Finding("open files", Level.WARN, detail, f"raise the hard limit to {OPEN_FILES_MIN} or more")


def check_swap(listing: Path = SWAPS_FILE) -> Iterator[Finding]:
    """Memory that the host writes to disk takes secrets and users' data with it."""
    try:
        areas = [line.split()[0] for line in listing.read_text(encoding="utf-8").splitlines()[1:]]
    except OSError:
        return
    if not areas:
        yield Finding("swap", Level.OK, "off")
        return
    detail = f"on ({', '.join(areas)}): memory with secrets may end up on disk, and runs crawl before they are stopped"
    yield Finding("swap", Level.WARN, detail, "swapoff --all, or encrypt the swap area")


def check_sandbox_uid(settings: Settings) -> Iterator[Finding]:
    """As root, sandboxed code gets a uid that nothing else on the machine may have."""
    if os.geteuid() != 0:
        return
    try:
        owner = pwd.getpwuid(settings.sandbox_uid).pw_name
    except KeyError:
        yield Finding("sandbox uid", Level.OK, f"{settings.sandbox_uid}, nobody's")
        return
    yield Finding(
        "sandbox uid",
        Level.FAIL,
        f"{settings.sandbox_uid} is the user {owner!r}, whose processes sandboxed code would share a uid with",
        "set GLOVEBOX_SANDBOX_UID to a number that no account has",
    )


async def check_database(settings: Settings) -> list[Finding]:
    """The database that the server would use: reachable, of this schema, and as a role that RLS binds."""
    if settings.database_url is None and settings.supabase_url is None:
        return list(check_embedded(settings.data_dir))
    named = "DATABASE_URL" if settings.database_url is not None else "SUPABASE_URL"
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S), open_store(settings):
            pass
    except (StoreError, TimeoutError) as exc:
        return [Finding("database", Level.FAIL, _reason(exc), f"correct {named}, or do what the line says")]
    return [Finding("database", Level.OK, f"{named} answers; role and schema are as they must be")]


def check_embedded(data_dir: Path) -> Iterator[Finding]:
    """PostgreSQL's programs, and a data directory that its account can reach."""
    home, account = locate(data_dir), _service_account()
    if account is None:
        detail = f"as root, PostgreSQL runs as the system user {SERVICE_USER!r}, which the first start makes"
        yield Finding("embedded database", Level.OK, detail)
        return
    try:
        if home.exists():
            prepare_data_dir(home)
        elif closed := account.first_closed_parent(home):
            detail = f"{home} cannot be reached by the database's account: {closed} is closed to it"
            yield Finding("data directory", Level.FAIL, detail, f"choose another --data-dir, or chmod o+x {closed}")
            return
        yield Finding("data directory", Level.OK, str(home) if home.exists() else f"{home}, made at the first start")
        # For another account the programs may have to be copied into the directory, which must exist then.
        if home.exists() or account.is_own:
            yield Finding("embedded database", Level.OK, f"programs in {find_programs(home, account)}")
    except StoreError as exc:
        yield Finding("data directory", Level.FAIL, str(exc), "choose another --data-dir, or do what the line says")


def check_issuer(settings: Settings) -> Finding:
    """Whose tokens the server would take."""
    try:
        build_verifier(settings)
        if settings.supabase_url is None and settings.supabase_jwt_secret is None:
            read_private(settings.data_dir / KEY_FILE_NAME)
    except AuthError as exc:
        return Finding("token issuer", Level.FAIL, str(exc), "correct the settings, or do what the line says")
    if settings.supabase_url is None:
        issuer = settings.jwt_issuer or "the local issuer; `glovebox token` mints"
        return Finding("token issuer", Level.OK, issuer)
    if settings.supabase_url.scheme != "https":
        detail = f"keys come from {settings.supabase_url} without TLS: whoever answers there can sign in as anybody"
        return Finding("token issuer", Level.WARN, detail, "use https in SUPABASE_URL unless it is on this machine")
    return Finding("token issuer", Level.OK, str(settings.supabase_url))


def check_secrets(settings: Settings) -> Iterator[Finding]:
    """Files with secrets that others on this machine can read."""
    for path in (SETTINGS_FILE, settings.data_dir / "passwords.json"):
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            detail = f"{path} may be read or changed by other users"
            yield Finding(
                "secret files", Level.FAIL if mode & stat.S_IRWXO else Level.WARN, detail, f"chmod 600 {path}"
            )
        else:
            yield Finding("secret files", Level.OK, f"{path} is private")


def check_exposure(settings: Settings) -> Iterator[Finding]:
    """Settings that open more than a careful operator would."""
    if "*" in settings.cors_origins:
        detail = "every web page may call the server from a browser"
        yield Finding("cors origins", Level.WARN, detail, "list the origins in GLOVEBOX_CORS_ORIGINS")
    if "*" in settings.trusted_proxies:
        detail = "every caller may claim any address by X-Forwarded-For"
        yield Finding("trusted proxies", Level.WARN, detail, "list the proxies in GLOVEBOX_TRUSTED_PROXIES")


async def check_server() -> Finding:
    """What answers at GLOVEBOX_URL."""
    try:
        url = str(ClientSettings().url).rstrip("/")
    except ValidationError:
        return Finding("server", Level.FAIL, "GLOVEBOX_URL is not an http or https URL", "correct GLOVEBOX_URL")
    try:
        async with httpx.AsyncClient(timeout=HTTP_TIMEOUT_S, trust_env=False) as client:
            response = await client.get(f"{url}/health/ready")
    except httpx.HTTPError:
        return Finding("server", Level.WARN, f"nothing answers at {url}", "start one: glovebox serve")
    if response.status_code == httpx.codes.OK:
        return Finding("server", Level.OK, f"{url} is ready")
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        return Finding("server", Level.FAIL, f"{url} is not ready", f"see {url}/health/ready and the server's log")
    detail = f"what answers at {url} is no Glovebox server"
    return Finding("server", Level.FAIL, detail, "choose another --port for glovebox serve, or another GLOVEBOX_URL")


def _reason(error: Exception) -> str:
    return str(error) or "it took too long"


def _service_account() -> ServiceAccount | None:
    """The account of the embedded database, None where it is not made yet."""
    if os.geteuid() != 0:
        return ServiceAccount(os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return None
    return ServiceAccount(entry.pw_uid, entry.pw_gid)
