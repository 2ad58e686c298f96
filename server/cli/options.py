"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from server.cli.errors import CliError
from server.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Embedded database and local issuer. Default: GLOVEBOX_DATA_DIR.", show_default=False
    ),
]
UserId = Annotated[UUID, typer.Option("--user", help="The user's id, a UUID.", metavar="UUID")]
AgentName = Annotated[str, typer.Argument(metavar="NAME", help="The agent's name.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most, newest first.")]


def load_settings(data_dir: Path | None = None, **overrides: Any) -> Settings:
    """The server's settings; what is given goes before the environment. Raises CliError naming each wrong setting."""
    if data_dir is not None:
        overrides["data_dir"] = data_dir.expanduser().absolute()
    try:
        return Settings(**overrides)
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in exc.errors())
        raise CliError(f"wrong settings: {wrong}", hint="correct the environment or .env") from exc
    except SettingsError as exc:
        raise CliError(f"wrong settings: {exc}", hint="correct the environment or .env") from exc
