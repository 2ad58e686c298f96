"""Which issuer the settings name, and the verifier of its tokens."""

import ipaddress

import structlog
from pydantic import AnyHttpUrl

from server.auth.clock import SYSTEM_CLOCK, Clock
from server.auth.errors import AuthMisconfiguredError
from server.auth.issuer import LOCAL_ISSUER, LocalKeys
from server.auth.keys import NoKeys, VerificationKey, shared_secret_key
from server.auth.remote_keys import RemoteKeys
from server.auth.verifier import Verifier
from server.settings import Settings

log = structlog.get_logger(__name__)


def build_verifier(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> Verifier:
    """Make the verifier that the settings describe. It opens nothing until its `open`.

    `SUPABASE_URL` names the issuer and its published keys; `SUPABASE_JWT_SECRET` the HS256 key, with
    `GLOVEBOX_JWT_ISSUER` where no project is named; neither, on the embedded database, the local issuer.

    Args:
        settings: the server's settings.
        clock: what the tokens' times and the keys' age are read from.

    Raises:
        AuthMisconfiguredError: the settings name no issuer, or half of one, and what to do.
    """
    secret = _secret(settings)
    if settings.supabase_url is not None:
        issuer = _supabase_issuer(settings.supabase_url)
        keys = RemoteKeys(f"{issuer}/.well-known/jwks.json", clock)
        return Verifier(issuer, keys, secret, clock, issuer_required=settings.jwt_issuer_required)
    if secret is not None:
        if not settings.jwt_issuer:
            raise AuthMisconfiguredError("SUPABASE_JWT_SECRET needs SUPABASE_URL or GLOVEBOX_JWT_ISSUER beside it")
        required = settings.jwt_issuer_required
        return Verifier(settings.jwt_issuer, NoKeys(), secret, clock, issuer_required=required)
    if settings.jwt_issuer:
        raise AuthMisconfiguredError("GLOVEBOX_JWT_ISSUER needs SUPABASE_JWT_SECRET beside it")
    if settings.database_url is not None:
        raise AuthMisconfiguredError(
            "DATABASE_URL is set, but nothing says whose tokens to trust: "
            "set SUPABASE_URL, or SUPABASE_JWT_SECRET with GLOVEBOX_JWT_ISSUER"
        )
    return Verifier(LOCAL_ISSUER, LocalKeys(settings.data_dir), clock=clock)


def _secret(settings: Settings) -> VerificationKey | None:
    if settings.supabase_jwt_secret is None:
        return None
    return shared_secret_key(settings.supabase_jwt_secret.get_secret_value())


def _supabase_issuer(url: AnyHttpUrl) -> str:
    if url.username or url.password or url.query or url.fragment:
        raise AuthMisconfiguredError("SUPABASE_URL must be the project's bare address, as https://PROJECT.supabase.co")
    if url.scheme != "https" and not _is_loopback(url.host or ""):
        log.warning("signing_keys_without_tls", advice="whoever can answer for SUPABASE_URL can sign in as anybody")
    return f"{str(url).rstrip('/')}/auth/v1"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
