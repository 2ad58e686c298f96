"""`glovebox doctor`: what this machine and these settings give, and what to do about the rest."""

import asyncio
import sys
from dataclasses import asdict

import typer

from server.cli import output
from server.cli.diagnosis import examine
from server.cli.errors import Exit
from server.cli.findings import Finding, Level
from server.cli.options import AsJson, DataDir, load_settings

STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def doctor(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Check this machine, the database and the settings. Exit status 1 when something cannot work."""
    findings = asyncio.run(examine(load_settings(data_dir)))
    failed = any(finding.level is Level.FAIL for finding in findings)
    if as_json:
        output.json_object({"ok": not failed, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            _print(finding)
    if failed:
        raise typer.Exit(Exit.FAILURE)


def _print(finding: Finding) -> None:
    text = f"{finding.level:<4}  {finding.check}: {finding.detail}"
    output.emphasis(text, style=STYLES[finding.level], stream=sys.stdout)
    if finding.fix is not None and finding.level is not Level.OK:
        output.line(f"      -> {finding.fix}")
