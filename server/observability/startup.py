"""What a server says about itself when it starts: what it stands on, and what is weaker than it could be."""

from collections.abc import Iterator

import structlog

from sandbox.tiers import Tiers
from sandbox.types import WallKind
from server.settings import Settings

log = structlog.get_logger("server.start")


def tell_start(settings: Settings, tiers: Tiers, version: str) -> None:
    """Log one line on what this process stands on, and one for each thing that weakens it."""
    log.info(
        "started",
        version=version,
        database="embedded" if settings.database_url is None else "DATABASE_URL",
        issuer=_issuer(settings),
        tiers={tier.value: tiers.wall(tier).kind.value for tier in tiers.available},
        metrics="by its bearer" if settings.metrics_token is not None else "for this machine alone",
        traces=settings.otlp_endpoint is not None,
        sandboxes="here" if settings.sandbox_socket is None else str(settings.sandbox_socket),
    )
    tell_tiers(tiers)
    for setting, meaning in weakening(settings):
        log.warning("a setting weakens this server", setting=setting, meaning=meaning)


def tell_tiers(tiers: Tiers) -> None:
    """Log one line for each tier that cannot run programs now, or whose wall is not full."""
    for tier in tiers.offered:
        if tier not in tiers.available:
            log.warning("a tier is unavailable", tier=tier.value, missing=list(tiers.missing(tier)))
        elif (wall := tiers.wall(tier)).kind is not WallKind.FULL:
            log.warning(
                "the wall is not full: `glovebox doctor` says what would complete it",
                tier=tier.value,
                missing=list(wall.missing),
            )


def weakening(settings: Settings) -> Iterator[tuple[str, str]]:
    """Settings that open more than a careful operator would, and what follows from each."""
    if "*" in settings.cors_origins:
        yield "GLOVEBOX_CORS_ORIGINS", "every web page may call from a browser"
    if "*" in settings.trusted_proxies:
        yield "GLOVEBOX_TRUSTED_PROXIES", "every caller may claim any address"
    if settings.supabase_url is not None and settings.supabase_url.scheme != "https":
        yield "SUPABASE_URL", "whoever can answer for it without TLS can sign in as anybody"
    if settings.public_url is None and settings.trusted_proxies:
        yield "GLOVEBOX_PUBLIC_URL", "unset behind a proxy: an agent's url follows the Host header"


def _issuer(settings: Settings) -> str:
    if settings.supabase_url is not None:
        return str(settings.supabase_url)
    return settings.jwt_issuer or "local"
