"""`glovebox login`, `logout`, `whoami`: sign in with Supabase Auth; the other commands use the session."""

import sys
from typing import Annotated

import typer

from server.cli import output
from server.cli.client import is_loopback, open_client, read_client_settings, server_of, sessions_of
from server.cli.errors import CliError
from server.cli.options import AsJson, load_settings
from server.cli.sign_in import SignIn
from server.settings import Settings


def login(
    email: Annotated[str, typer.Option("--email", help="Whose account it is.", metavar="EMAIL")],
    code: Annotated[
        bool, typer.Option("--code", help="Have a one-time code sent instead of asking for the password.")
    ] = False,
) -> None:
    """Sign in at SUPABASE_URL for GLOVEBOX_URL. The password or code is asked for, or read from a pipe."""
    settings, client = load_settings(), read_client_settings()
    url, key = _project(settings)
    with SignIn(url, key) as project:
        if code:
            project.send_code(email)
            session = project.with_code(email, _asked("code from the e-mail", hidden=False))
        else:
            session = project.with_password(email, _asked("password", hidden=True))
    sessions_of(client).keep(server_of(client), session)
    output.note(f"signed in as {email} for {server_of(client)}")


def logout() -> None:
    """End the session for GLOVEBOX_URL, here and at the project."""
    client = read_client_settings()
    sessions, server = sessions_of(client), server_of(client)
    session = sessions.find(server)
    if session is None:
        output.note(f"nobody is signed in for {server}")
        return
    sessions.forget(server)
    try:
        with SignIn(session.supabase_url, session.publishable_key) as project:
            project.sign_out(session)
    except CliError as exc:
        output.note(f"forgotten here; the project did not end it: {exc}")
        return
    output.note(f"signed out of {server}")


def whoami(as_json: AsJson = False) -> None:
    """Show as whom the server takes you."""
    client = read_client_settings()
    with open_client() as api:
        user_id = api.get("/account")["user_id"]
    session = None if client.token is not None else sessions_of(client).find(server_of(client))
    shown = {
        "server": server_of(client),
        "user_id": user_id,
        "email": None if session is None else session.email,
        "by": "GLOVEBOX_TOKEN" if session is None else "glovebox login",
    }
    if as_json:
        output.json_object(shown)
    else:
        output.fields(shown.items())


def _project(settings: Settings) -> tuple[str, str]:
    """Where to sign in, and with which key. Raises CliError."""
    url, key = settings.supabase_url, settings.supabase_publishable_key or settings.supabase_anon_key
    if url is None or key is None:
        raise CliError(
            "signing in needs a Supabase project",
            hint="set SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY; without a project: glovebox token --user UUID",
        )
    if url.scheme != "https" and not is_loopback(url):
        raise CliError("SUPABASE_URL must be https: a password goes there")
    return str(url).rstrip("/"), key.get_secret_value()


def _asked(what: str, *, hidden: bool) -> str:
    """What the person types, or one line of a pipe. Raises CliError where there is nothing."""
    if sys.stdin.isatty():
        answer: str = typer.prompt(what, hide_input=hidden, err=True)
    else:
        answer = sys.stdin.readline().rstrip("\n")
    if not answer:
        raise CliError(f"no {what} was given")
    return answer
