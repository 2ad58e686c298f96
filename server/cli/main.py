"""The entry point: puts the commands together and ends every failure in one line and an exit status."""

import sys
import textwrap
from typing import TextIO, cast

import typer

from agents_store.errors import StoreError
from sandbox.errors import SandboxError
from server.auth.errors import AuthError
from server.cli import account, agents, db, effects, image, keys, memory, output, runs, secrets
from server.cli import credits as credits_commands
from server.cli.bench import bench
from server.cli.demo import demo
from server.cli.doctor import doctor
from server.cli.errors import CliError, Exit, ProblemError
from server.cli.login import login, logout, whoami
from server.cli.sandbox_host import sandbox_host
from server.cli.serve import serve
from server.cli.tokens import token

PROBLEM_ERRORS_SHOWN_MAX = 20

app = typer.Typer(
    name="glovebox",
    help="Agents behind a URL: code that a model wrote, checked, metered and run in a real sandbox.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command()(sandbox_host)
app.command()(token)
app.command()(login)
app.command()(logout)
app.command()(whoami)
app.command()(demo)
app.command()(doctor)
app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(bench)
app.add_typer(agents.app, name="agents")
for of_runs in (effects.effects, effects.files, effects.apply, effects.replay):
    runs.app.command()(of_runs)
app.add_typer(runs.app, name="runs")
app.add_typer(memory.app, name="memory")
app.add_typer(secrets.app, name="secrets")
app.add_typer(account.app, name="account")
app.add_typer(credits_commands.app, name="credits")
app.add_typer(keys.app, name="keys")
app.add_typer(db.app, name="db")
app.add_typer(image.app, name="image")


def main() -> None:
    """Run one command and exit: 0 done, 1 failed, 2 used wrongly, 3 to 6 as in `Exit`, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        cast(TextIO, stream).reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]
    try:
        app(prog_name="glovebox")
    except CliError as exc:
        _explain(exc)
        sys.exit(exc.exit_code)
    except (StoreError, AuthError, SandboxError) as exc:
        _explain(CliError(str(exc)))
        sys.exit(Exit.FAILURE)


def _explain(error: CliError) -> None:
    output.emphasis(f"error: {error}", style="red", stream=sys.stderr)
    if isinstance(error, ProblemError):
        _say_where(error)
    if error.hint is not None:
        output.note(error.hint)


def _say_where(error: ProblemError) -> None:
    """Say where: the places of a refusal, or the agent's own frames when it was the agent that failed."""
    errors, failure = error.problem.get("errors"), error.problem.get("error")
    for place in errors[:PROBLEM_ERRORS_SHOWN_MAX] if isinstance(errors, list) else []:
        if isinstance(place, dict):
            where = f"line {place['line']}" if "line" in place else place.get("path")
            output.note(f"  {where or 'inputs'}: {place.get('message')}")
    if isinstance(failure, dict) and failure.get("traceback"):
        output.note(textwrap.indent(str(failure["traceback"]), "  "))


if __name__ == "__main__":
    main()
