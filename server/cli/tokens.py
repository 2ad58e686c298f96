"""`glovebox token`: a token of the local issuer, beside a running server or without one."""

import re
from typing import Annotated

import typer

from agents_store.embedded import prepare_data_dir
from server.auth.issuer import TTL_S_MAX, LocalIssuer
from server.cli import output
from server.cli.errors import CliError
from server.cli.options import DataDir, UserId, load_settings
from server.settings import Settings

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def token(
    user_id: UserId,
    ttl: Annotated[str, typer.Option(metavar="DURATION", help="How long it is valid: 30s, 15m, 1h, 7d.")] = "1h",
    data_dir: DataDir = None,
) -> None:
    """Print a token for a user, and nothing else."""
    ttl_s = parse_duration(ttl)
    settings = load_settings(data_dir)
    _require_local_issuer(settings)
    prepare_data_dir(settings.data_dir)
    output.line(LocalIssuer.load(settings.data_dir).mint(user_id, ttl_s))


def parse_duration(text: str) -> int:
    """A duration in seconds. Raises BadParameter unless it is a whole number with a unit, 1 s to `TTL_S_MAX`."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no duration; write 30s, 15m, 1h or 7d", param_hint="--ttl")
    duration_s = int(match[1]) * SECONDS[match[2]]
    if not 1 <= duration_s <= TTL_S_MAX:
        raise typer.BadParameter(f"a token is valid for 1s to {TTL_S_MAX // SECONDS['d']}d", param_hint="--ttl")
    return duration_s


def _require_local_issuer(settings: Settings) -> None:
    elsewhere = (settings.supabase_url, settings.supabase_jwt_secret, settings.database_url)
    if any(setting is not None for setting in elsewhere):
        raise CliError(
            "the local issuer belongs to the embedded database; this server takes the tokens of another issuer",
            hint="sign in there, or unset SUPABASE_URL, SUPABASE_JWT_SECRET and DATABASE_URL",
        )
