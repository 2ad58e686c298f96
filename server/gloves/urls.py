"""URLs, read once by one parser, so that what is checked is what is dialled."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from server.gloves.hosts import HostError, Origin, read_host, read_port

URL_CHARS_MAX = 8_192

_URL = re.compile(r"(https?)://([^/?#]*)(/[^?#]*)?(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_HAS_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE | re.ASCII)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]+)(?::([0-9]{1,5}))?", re.ASCII)
# Control characters, spaces other than the plain one, and what parsers disagree about. U+FFFD stands for text that was
# no text before.
_NEVER = re.compile(r"[\x00-\x1f\x7f-\xa0\\\u2028\u2029\ufeff\ufffd\ud800-\udfff]")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KEPT = "!$%&'()*+,/:;=?@[]~-._"


class UrlError(ValueError):
    """A URL that is not fetched. The message says what is wrong, for people."""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in the parts that a request needs. `path` begins with a slash; `query` is None where there is none."""

    origin: Origin
    path: str
    query: str | None

    @property
    def target(self) -> str:
        """Path and query, as a request line has them."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    @property
    def host_header(self) -> str:
        """The Host header's value."""
        return str(self.origin).partition("://")[2]

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


def read_url(text: str) -> Url:
    """Read an absolute http or https URL.

    Path and query are percent-encoded as UTF-8 where they need to be; the fragment is dropped. Refused is whatever two
    parsers might read in two ways.

    Raises:
        UrlError: it is not such a URL.

    Source: RFC 3986 section 3; WHATWG URL section 4.4.
    """
    if len(text) > URL_CHARS_MAX:
        raise UrlError(f"the URL has more than {URL_CHARS_MAX} characters")
    if _NEVER.search(text) or text != text.strip(" "):
        raise UrlError("the URL has a control character, a backslash or space around it")
    found = _URL.fullmatch(text)
    if found is None:
        raise UrlError("the URL must begin with https:// or http://")
    scheme = found[1].lower()
    query = None if found[4] is None else _encoded(found[4])
    return Url(_origin(scheme, found[2]), _encoded(found[3] or "/"), query)


def join_url(base: Url, reference: str) -> Url:
    """Where a redirect leads. Raises UrlError."""
    if len(reference) > URL_CHARS_MAX or _NEVER.search(reference):
        raise UrlError("the redirect leads to what is no URL")
    if _HAS_SCHEME.match(reference):
        return read_url(reference)
    if reference.startswith("//"):
        return read_url(f"{base.origin.scheme}:{reference}")
    return read_url(urljoin(str(base), reference))


def with_params(url: Url, pairs: Sequence[tuple[str, str]]) -> Url:
    """The URL with parameters added to its query, encoded as HTML forms are."""
    if not pairs:
        return url
    added = form_encoded(pairs)
    return Url(url.origin, url.path, f"{url.query}&{added}" if url.query else added)


def form_encoded(pairs: Sequence[tuple[str, str]]) -> str:
    """Pairs as application/x-www-form-urlencoded (WHATWG URL section 5.2)."""
    return "&".join(f"{_form_part(name)}={_form_part(value)}" for name, value in pairs)


def _form_part(text: str) -> str:
    return quote(text, safe="*-._ ").replace("~", "%7E").replace(" ", "+")


def _origin(scheme: str, authority: str) -> Origin:
    if "@" in authority:
        raise UrlError("the URL has a user name before its host; send credentials as a header")
    if "%" in authority:
        raise UrlError("the URL has percent-encoding in its host")
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise UrlError("the URL has no host, or a port that is none")
    try:
        return Origin(scheme, read_host(found[1]), read_port(found[2], scheme))
    except HostError as exc:
        raise UrlError(f"the URL's host {exc}") from exc


def _encoded(text: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", text), safe=_KEPT)
