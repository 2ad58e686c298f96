"""`ctx.secrets`: a program gets a placeholder; the host writes the value into requests to where it is bound."""

import base64
import binascii
import json
import re
import secrets as randomness
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from agents_store.errors import UnknownSecretError
from sandbox.types import GloveFault
from server.gloves import echoes
from server.gloves.effect import Answered, Arguments, EffectError
from server.gloves.hosts import HostPattern, Origin

NAME_CHARS_MAX = 64
SCRUBBED_CHARS_MIN = 4  # what is shorter stands everywhere

_PLACEHOLDER = re.compile(r"gbx-secret-[0-9a-f]{32}")
_BASIC = re.compile(r"(basic +)([A-Za-z0-9+/=]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OpenSecret:
    """A secret in clear, and where it may go."""

    name: str
    value: str = field(repr=False)
    hosts: Sequence[HostPattern]


# Opens a secret of the run's agent by its name. Raises UnknownSecretError.
OpenByName = Callable[[str], Awaitable[OpenSecret]]
Encode = Callable[[str], str]


def as_is(value: str) -> str:
    """The value where nothing has a meaning of its own."""
    return value


def in_url(value: str) -> str:
    """The value inside a path or a query."""
    return quote(value, safe="")


def in_form(value: str) -> str:
    """The value inside a form's body."""
    return quote_plus(value)


def in_json(value: str) -> str:
    """The value inside a JSON text's string."""
    return json.dumps(value)[1:-1]


class RunSecrets:
    """The secrets that one run has asked for."""

    def __init__(self, open_by_name: OpenByName) -> None:
        self._open_by_name = open_by_name
        self._by_placeholder: dict[str, OpenSecret] = {}
        self._echoes: dict[bytes, bytes] = {}  # what may come back, longest first, and what the program sees instead

    async def use(self, arguments: Arguments) -> Answered:
        """The placeholder of a secret, the same one each time. Raises EffectError."""
        name = arguments.get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= NAME_CHARS_MAX:
            raise EffectError(GloveFault.VALUE, "ctx.secrets.use() takes the name of a secret")
        for placeholder, known in self._by_placeholder.items():
            if known.name == name:
                return Answered(placeholder)
        try:
            opened = await self._open_by_name(name)
        except UnknownSecretError as exc:
            raise EffectError(GloveFault.LOOKUP, f"this agent has no secret named {name!r}") from exc
        return Answered(self.know(f"gbx-secret-{randomness.token_hex(16)}", opened))

    def know(self, placeholder: str, opened: OpenSecret) -> str:
        """Let a placeholder stand for a secret from now on. The placeholder."""
        self._by_placeholder[placeholder] = opened
        self._expect(dict.fromkeys(_echoes_of(opened.value), placeholder))
        return placeholder

    def fill(self, text: str, origin: Origin, encode: Encode) -> str:
        """Text of a request with values in place of placeholders.

        Args:
            text: what the program wrote.
            origin: where the request goes.
            encode: how a value is written there.

        Raises:
            EffectError: a secret is not bound to this place.
        """
        if not self._by_placeholder:
            return text
        return _PLACEHOLDER.sub(lambda found: self._value(found[0], origin, encode), text)

    def fill_bytes(self, body: bytes, origin: Origin, encode: Encode) -> bytes:
        """As `fill`, for a body of whatever bytes. Raises EffectError."""
        if not self._by_placeholder:
            return body
        return self.fill(body.decode("utf-8", "surrogateescape"), origin, encode).encode("utf-8", "surrogateescape")

    def fill_header(self, name: str, value: str, origin: Origin) -> str:
        """As `fill`, for a header's value; inside Basic credentials too (RFC 7617). Raises EffectError.

        Credentials that were filled may come back whole, and then are what the program wrote.
        """
        basic = _BASIC.fullmatch(value) if name.lower() == "authorization" else None
        if basic is None:
            return self.fill(value, origin, as_is)
        try:
            plain = base64.b64decode(basic[2], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return value
        filled = self.fill(plain, origin, as_is)
        if filled == plain:
            return value
        credentials = base64.b64encode(filled.encode()).decode()
        self._expect({credentials: basic[2], credentials.rstrip("="): basic[2].rstrip("=")})
        return basic[1] + credentials

    def scrub(self, text: str) -> str:
        """Text of an answer with placeholders where a value comes back, also in the usual encodings."""
        return self.scrub_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def scrub_bytes(self, body: bytes) -> bytes:
        """As `scrub`, for bytes."""
        return echoes.scrub(body, self._echoes)

    def _expect(self, expected: Mapping[str, str]) -> None:
        for echo, replacement in expected.items():
            self._echoes.setdefault(echo.encode(), replacement.encode())
        self._echoes = dict(sorted(self._echoes.items(), key=lambda echo: len(echo[0]), reverse=True))

    def _value(self, placeholder: str, origin: Origin, encode: Encode) -> str:
        known = self._by_placeholder.get(placeholder)
        if known is None:
            return placeholder
        if not any(pattern.matches(origin) for pattern in known.hosts):
            raise EffectError(GloveFault.PERMISSION, f"the secret {known.name!r} is not bound to {origin}")
        return encode(known.value)


def _echoes_of(value: str) -> list[str]:
    """What a value may come back as; how each of these may be escaped is known to `echoes.scrub`."""
    encoded = base64.b64encode(value.encode()).decode()
    in_urls = base64.urlsafe_b64encode(value.encode()).decode()
    ways = (
        value,
        value.lower(),  # as a host name
        value.encode().decode("latin-1"),  # as a header
        value.replace(" ", "+"),  # in a form
        encoded,
        encoded.rstrip("="),
        in_urls,
        in_urls.rstrip("="),
    )
    return [way for way in dict.fromkeys(ways) if len(way) >= SCRUBBED_CHARS_MIN]
