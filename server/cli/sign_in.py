"""Signing in at Supabase Auth: password, one-time code, refresh, sign-out, over plain HTTP."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from server.cli.errors import CliError, Exit

ANSWER_BYTES_MAX = 256 * 1024
TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Session:
    """What signing in gives: a token until `expires_at_s`, in seconds since 1970, and what the next one comes by."""

    supabase_url: str
    publishable_key: str = field(repr=False)
    email: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at_s: int

    def as_object(self) -> dict[str, Any]:
        """The session as JSON."""
        return asdict(self)


class ProjectRefusalError(CliError):
    """The project refuses.

    Attributes:
        code: its own word for why, or the HTTP status.
    """

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        words = answer.get("msg") or answer.get("message") or answer.get("error_description") or "it said no more"
        self.code = str(answer.get("error_code") or f"HTTP {status}")
        refused = status in (400, 401, 403, 422)
        super().__init__(
            f"the project refuses: {words} [{self.code}]",
            hint="try again later" if status == 429 else None,
            exit_code=Exit.AUTH if refused else Exit.CREDITS_OR_RATE if status == 429 else Exit.FAILURE,
        )


class SignIn:
    """Speaks to the Auth API of one project. Use it as a context manager.

    Source: Supabase Auth (GoTrue), API reference: /token, /otp, /verify, /logout.
    """

    def __init__(
        self, supabase_url: str, publishable_key: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Nothing is connected yet. `transport` replaces the network."""
        self._url = supabase_url.rstrip("/")
        self._key = publishable_key
        self._http = httpx.Client(
            base_url=f"{self._url}/auth/v1",
            headers={"apikey": publishable_key},
            timeout=TIMEOUT_S,
            follow_redirects=False,  # a password is for this project alone
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def with_password(self, email: str, password: str) -> Session:
        """Sign in. Raises CliError."""
        return self._session(email, "/token?grant_type=password", {"email": email, "password": password})

    def send_code(self, email: str) -> None:
        """Have a one-time code sent to an address that is a user's. Raises CliError."""
        self._ask("/otp", {"email": email, "create_user": False})

    def with_code(self, email: str, code: str) -> Session:
        """Sign in with the code that was sent. Raises CliError."""
        body = {"email": email, "token": code}
        try:
            return self._session(email, "/verify", {**body, "type": "email"})
        except ProjectRefusalError as exc:
            if exc.code != "validation_failed":
                raise
            # Older ones know the code by the name of the mail that it comes in.
            return self._session(email, "/verify", {**body, "type": "magiclink"})

    def refreshed(self, session: Session) -> Session:
        """The next session; the old refresh token is spent. Raises CliError."""
        return self._session(session.email, "/token?grant_type=refresh_token", {"refresh_token": session.refresh_token})

    def sign_out(self, session: Session) -> None:
        """End the session, so that its refresh token is worth nothing. Raises CliError."""
        self._ask("/logout?scope=local", {}, {"Authorization": f"Bearer {session.access_token}"})

    def _session(self, email: str, path: str, body: Mapping[str, Any]) -> Session:
        answer = self._ask(path, body)
        access_token, refresh_token = answer.get("access_token"), answer.get("refresh_token")
        if not isinstance(access_token, str) or not isinstance(refresh_token, str):
            raise CliError("the project gave no session", hint="is SUPABASE_URL a Supabase project?")
        expires_in = answer.get("expires_in")
        lifetime_s = expires_in if isinstance(expires_in, int) else 3600
        return Session(self._url, self._key, email, access_token, refresh_token, int(time.time()) + lifetime_s)

    def _ask(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        try:
            with self._http.stream("POST", path, json=body, headers=headers) as response:
                content = b"".join(_bounded(response))
        except httpx.HTTPError as exc:
            raise CliError(f"no answer from {self._url}: {str(exc) or type(exc).__name__}") from exc
        answer = _object(content)
        if not response.is_success:
            raise ProjectRefusalError(response.status_code, answer)
        return answer


def _object(content: bytes) -> Mapping[str, Any]:
    """The JSON object of an answer; an empty one where it is none."""
    found: Any = None
    with suppress(ValueError, RecursionError):
        found = json.loads(content)
    return found if isinstance(found, dict) else {}


def _bounded(response: httpx.Response) -> list[bytes]:
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > ANSWER_BYTES_MAX:
            raise CliError("the project's answer is too large")
    return chunks
