"""Paths of the API with what people typed in them."""

from urllib.parse import quote

import typer


def agent_path(agent_name: str) -> str:
    """The path of one of the caller's agents. Raises BadParameter."""
    return f"/agents/{quoted(agent_name)}"


def quoted(segment: str) -> str:
    """One segment of a path. Raises BadParameter on what would name another one."""
    if segment in {"", ".", ".."}:
        raise typer.BadParameter(f"{segment!r} is no name")
    return quote(segment, safe="")
