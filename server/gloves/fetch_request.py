"""What a program asks of `ctx.fetch`, read strictly into a request."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from sandbox.types import GloveFault, JsonValue
from server.gloves.effect import Arguments, EffectError
from server.gloves.exchange import Headers
from server.gloves.secrets import Encode, as_is, in_form, in_json
from server.gloves.urls import Url, UrlError, form_encoded, read_url, with_params

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
READING = frozenset({"GET", "HEAD"})  # goes through in a dry run
BODY_BYTES_MAX = 1024 * 1024
HEADER_FIELDS_MAX = 50
HEADER_BYTES_MAX = 16 * 1024
PARAMS_MAX = 200

_KNOWN = frozenset({"url", "method", "params", "headers", "json", "data"})
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", re.ASCII)
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# The connection's own, and what frames a body: the host writes them (RFC 9110 section 7.6.1).
_HOSTS_OWN = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect",
     "accept-encoding", "proxy-authorization", "proxy-connection"}
)  # fmt: skip
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_ENCODES: Mapping[str, Encode] = {JSON: in_json, FORM: in_form}
_DEFAULTS = {"User-Agent": "Glovebox", "Accept": "*/*"}


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A request with placeholders where secrets are to be. `encode` is how a value is written into its body."""

    method: str
    url: Url
    headers: Headers
    body: bytes
    encode: Encode

    @property
    def reads(self) -> bool:
        """Whether it only reads, as HTTP has it (RFC 9110 section 9.2.1)."""
        return self.method in READING


def read_request(arguments: Arguments) -> FetchRequest:
    """Read the arguments of a fetch. Raises EffectError."""
    unknown = set(arguments) - _KNOWN
    if unknown:
        raise _refused(f"has no argument {min(unknown)!r}")
    method = arguments.get("method", "GET")
    if not isinstance(method, str) or method.upper() not in METHODS:
        raise _refused(f"knows the methods {', '.join(sorted(METHODS))}")
    url = arguments.get("url")
    if not isinstance(url, str):
        raise _refused("takes a URL as text")
    try:
        target = with_params(read_url(url), _pairs(arguments.get("params"), "params"))
    except UrlError as exc:
        raise _refused(f"does not take this URL: {exc}") from exc
    body, media_type, encode = _body(arguments)
    headers = _headers(arguments.get("headers"), media_type)
    return FetchRequest(method.upper(), target, headers, body, encode or _encode_of(headers))


def check_headers(headers: Headers) -> None:
    """Raise EffectError where a header holds what HTTP does not carry, or there is too much of them."""
    if len(headers) > HEADER_FIELDS_MAX:
        raise _refused(f"takes at most {HEADER_FIELDS_MAX} headers")
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value) or value != value.strip(" \t"):
            raise _refused("takes headers whose names are tokens and whose values are one line of Latin-1")
    if sum(len(name) + len(value) for name, value in headers) > HEADER_BYTES_MAX:
        raise _refused(f"takes at most {HEADER_BYTES_MAX} bytes of headers")


def _headers(given: JsonValue, media_type: str | None) -> Headers:
    if given is not None and not isinstance(given, Mapping):
        raise _refused("takes headers as a dict")
    named = {name: _text(value, "headers") for name, value in (given or {}).items()}
    chosen = {name.lower() for name in named}
    defaults = {**_DEFAULTS, **({} if media_type is None else {"Content-Type": media_type})}
    own = [(name, value) for name, value in defaults.items() if name.lower() not in chosen]
    headers = [*own, *((name, value) for name, value in named.items() if name.lower() not in _HOSTS_OWN)]
    check_headers(headers)
    return headers


def _encode_of(headers: Headers) -> Encode:
    """How values are written into a body that the program encoded itself."""
    media_type = next((value for name, value in headers if name.lower() == "content-type"), "")
    return _ENCODES.get(media_type.partition(";")[0].strip().lower(), as_is)


def _body(arguments: Arguments) -> tuple[bytes, str | None, Encode | None]:
    """The body, its media type where it says one, and how values are written into it, None where headers tell."""
    if "json" in arguments and "data" in arguments:
        raise _refused("takes json or data, not both")
    encode: Encode | None = None
    media_type = None
    if "json" in arguments:
        text = json.dumps(arguments["json"], ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        body, media_type, encode = text.encode(), JSON, in_json
    else:
        data = arguments.get("data")
        if data is None:
            body = b""
        elif isinstance(data, str):
            body, media_type = data.encode(), "text/plain; charset=utf-8"
        elif isinstance(data, Mapping) and set(data) == {"base64"}:
            body = _bytes(data["base64"])
        else:
            body = form_encoded(_pairs(data, "data")).encode()
            media_type, encode = FORM, in_form
    if len(body) > BODY_BYTES_MAX:
        raise _refused(f"takes at most {BODY_BYTES_MAX} bytes of body")
    return body, media_type, encode


def _bytes(text: JsonValue) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _refused("takes data as text, bytes or a dict") from exc


def _pairs(given: JsonValue, argument: str) -> list[tuple[str, str]]:
    """Names and values: of a dict, whose values may be lists, or of a list of pairs. None as a value is left out."""
    if given is None:
        return []
    if isinstance(given, Mapping):
        items: list[tuple[JsonValue, JsonValue]] = list(given.items())
    elif isinstance(given, list | tuple) and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in given):
        items = [(pair[0], pair[1]) for pair in cast("list[list[JsonValue]]", given)]
    else:
        raise _refused(f"takes {argument} as a dict")
    pairs = [
        (_text(name, argument), _text(value, argument))
        for name, values in items
        for value in (values if isinstance(values, list | tuple) else [values])
        if value is not None
    ]
    if len(pairs) > PARAMS_MAX:
        raise _refused(f"takes at most {PARAMS_MAX} {argument}")
    return pairs


def _text(value: JsonValue, argument: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise _refused(f"takes {argument} whose values are text or numbers")


def _refused(message: str) -> EffectError:
    return EffectError(GloveFault.VALUE, f"ctx.fetch() {message}")
