"""The HTTP client of the command line: where the server is, who asks, and how refusals come back."""

import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.cli.errors import CliError, NotAuthenticatedError, ProblemError, ServerUnreachableError
from server.cli.sessions import Sessions
from server.settings import default_config_dir

ANSWER_BYTES_MAX = 64 * 1024**2  # above the largest result plus logs that a server allows
CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 360.0  # above the longest run plus its wait for a place

QueryParams = Sequence[tuple[str, str]]


class ClientSettings(BaseSettings):
    """Where the server is and who asks: `GLOVEBOX_URL` and `GLOVEBOX_TOKEN`, from the environment or `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="GLOVEBOX_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    url: AnyHttpUrl = Field(AnyHttpUrl("http://127.0.0.1:8000"), description="the server that commands talk to")
    token: SecretStr | None = Field(
        None, description="the token or API key that commands send; unset: the session of `glovebox login`"
    )
    sessions_file: Path | None = Field(
        None, description="where `glovebox login` keeps its sessions; unset: your configuration directory"
    )


class Document(dict[str, Any]):
    """A JSON object of an answer. A member that it lacks is the server's fault, not a defect of the command."""

    def __missing__(self, key: str) -> Any:
        """Raises CliError."""
        raise _strange_answer(f"has no {key!r}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer. `body` is parsed JSON, None when there is none."""

    status: int
    headers: httpx.Headers
    body: Any

    @property
    def document(self) -> Document:
        """The body, which must be a JSON object. Raises CliError where it is none."""
        if not isinstance(self.body, Document):
            raise _strange_answer("is no JSON object")
        return self.body


class ApiClient:
    """Speaks to one server as one user. Use it as a context manager."""

    def __init__(self, settings: ClientSettings, *, transport: httpx.BaseTransport | None = None) -> None:
        """Nothing is connected yet. `transport` replaces the network.

        Raises:
            NotAuthenticatedError: there is no usable token.
        """
        self.base_url = server_of(settings)
        self.token = _usable_token(settings)
        self._http = httpx.Client(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {self.token}", "Accept": "application/json"},
            timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            follow_redirects=False,  # the token is for this server alone
            trust_env=not is_loopback(settings.url),  # no proxy between us and a server on this machine
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: QueryParams = (),
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request.

        Raises:
            ServerUnreachableError: nothing answered in time.
            ProblemError: the answer is not a success.
            CliError: the answer is too large, or no JSON.
        """
        with (
            self._reached(),
            self._http.stream(method, path, params=list(params), json=body, headers=headers) as response,
        ):
            content = _read_bounded(response)
        if not response.is_success:
            raise _problem(response, content)
        return Answer(response.status_code, response.headers, _parse(content))

    def lines(
        self,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: Mapping[str, Any] | None = None,
    ) -> Iterator[str]:
        """The lines of an answer as they come, without their ends. Raises ServerUnreachableError, ProblemError."""
        with self._reached(), self._http.stream(method, path, headers=headers, json=body) as response:
            if not response.is_success:
                raise _problem(response, _read_bounded(response))
            # Not by iter_lines(): it also ends lines at characters that JSON has in strings.
            pending: list[bytes] = []
            for chunk in response.iter_bytes():
                *ended, rest = chunk.split(b"\n")
                for piece in ended:
                    yield b"".join((*pending, piece)).decode(errors="replace")
                    pending.clear()
                pending.append(rest)
            if rest := b"".join(pending):
                yield rest.decode(errors="replace")

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as exc:
            raise ServerUnreachableError(self.base_url, "timed out") from exc
        except httpx.TransportError as exc:
            raise ServerUnreachableError(self.base_url, str(exc) or type(exc).__name__) from exc

    def get(self, path: str, params: QueryParams = ()) -> Document:
        """The object that a GET answers. Raises what `request` raises, CliError where it is no object."""
        return self.request("GET", path, params=params).document

    def pages(self, path: str, *, limit: int, params: QueryParams = ()) -> dict[str, Any]:
        """Up to `limit` items of a list in its own order, and the cursor after the last of them, None at its end."""
        items: list[Any] = []
        cursor: str | None = None
        while len(items) < limit:
            size = ("limit", str(min(limit - len(items), 100)))
            page = self.get(path, [*params, size, *([("cursor", cursor)] if cursor else [])])
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None or not page["items"]:
                break
        return {"items": items, "next_cursor": cursor}


def read_client_settings() -> ClientSettings:
    """What the environment says. Raises CliError."""
    try:
        return ClientSettings()
    except ValidationError as exc:
        raise CliError("GLOVEBOX_URL is not an http or https URL") from exc


def open_client() -> ApiClient:
    """A client after the environment. Raises CliError when the settings are wrong or there is no token."""
    return ApiClient(read_client_settings())


def server_of(settings: ClientSettings) -> str:
    """The server that commands talk to, by which sessions are kept."""
    return str(settings.url).rstrip("/")


def sessions_of(settings: ClientSettings) -> Sessions:
    """The sessions of this user."""
    return Sessions(settings.sessions_file or default_config_dir() / "sessions.json")


def _usable_token(settings: ClientSettings) -> str:
    if settings.token is not None:
        value = settings.token.get_secret_value().strip()
    elif (session := sessions_of(settings).current(server_of(settings))) is not None:
        value = session.access_token
    else:
        raise NotAuthenticatedError("nobody is signed in, and GLOVEBOX_TOKEN is not set")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise NotAuthenticatedError("GLOVEBOX_TOKEN is not a token")
    return value


def is_loopback(url: AnyHttpUrl) -> bool:
    """Whether a URL names this machine."""
    host = (url.host or "").strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_bounded(response: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > ANSWER_BYTES_MAX:
            raise CliError(f"the answer is larger than {ANSWER_BYTES_MAX} bytes")
    return bytes(content)


def _parse(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content, object_hook=Document)
    except (ValueError, RecursionError) as exc:
        raise _strange_answer("is no JSON") from exc


def _strange_answer(fault: str) -> CliError:
    return CliError(f"the answer {fault}", hint="is GLOVEBOX_URL a Glovebox server, and of this release?")


def _problem(response: httpx.Response, content: bytes) -> ProblemError:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = {}
    problem = document if isinstance(document, dict) else {}
    return ProblemError(response.status_code, problem, response.headers.get("Glovebox-Run-Id"))
