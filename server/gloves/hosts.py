"""Which places a version, or a secret, may be sent to: `api.example.com`, `*.example.com`, `https://example.com:8443`."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

import idna

PATTERN_CHARS_MAX = 270
PORTS = {"https": 443, "http": 80}
SCHEME = "https"  # where a pattern names none

Address: TypeAlias = IPv4Address | IPv6Address

_HOST_CHARS_MAX = 253
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_PATTERN = re.compile(r"(?:(https?)://)?(\*\.)?(\[[^\[\]]*\]|[^:/?#@\[\]*\\]+)(?::([0-9]{1,5}))?", re.ASCII)


class HostError(ValueError):
    """A host or a pattern that is none. The message says what is wrong, for people."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request goes: `host` is in the one spelling that `read_host` gives it."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" if self.port == PORTS[self.scheme] else f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class HostPattern:
    """One entry of `allowed_hosts`, scheme and port fixed. With `any_below`, every name below `host`, not itself."""

    scheme: str
    host: str
    port: int
    any_below: bool

    def matches(self, origin: Origin) -> bool:
        """Whether a request may go there."""
        if (origin.scheme, origin.port) != (self.scheme, self.port):
            return False
        return origin.host.endswith(f".{self.host}") if self.any_below else origin.host == self.host

    def __str__(self) -> str:
        """The shortest spelling of it."""
        text = str(Origin(self.scheme, self.host, self.port)).removeprefix(f"{SCHEME}://")
        scheme, separator, rest = text.rpartition("://")
        return f"{scheme}{separator}{'*.' if self.any_below else ''}{rest}"


def read_pattern(text: str) -> HostPattern:
    """One entry of `allowed_hosts`: `[http[s]://][*.]host[:port]`. Raises HostError."""
    found = _PATTERN.fullmatch(text) if len(text) <= PATTERN_CHARS_MAX else None
    if found is None:
        raise HostError("must be a host such as api.example.com, *.example.com or http://example.com:8080")
    scheme = found[1] or SCHEME
    host = read_host(found[3])
    if found[2] and (literal_address(host) is not None or "." not in host):
        raise HostError("may have *. only before a name of two parts or more")
    return HostPattern(scheme, host, read_port(found[4], scheme), any_below=bool(found[2]))


def read_port(text: str | None, scheme: str) -> int:
    """A port from its digits, or the scheme's own for None. Raises HostError."""
    port = PORTS[scheme] if text is None else int(text)
    if not 1 <= port <= 65_535 or (text is not None and text.startswith("0")):
        raise HostError("has a port that is none")
    return port


def read_host(text: str) -> str:
    """The one spelling of a host, as it is compared and resolved.

    Returns:
        A name in lower case, in ASCII (RFC 5891, no mapping of look-alikes), or an address as `ipaddress` spells it.

    Raises:
        HostError: it is neither. Addresses that are spelled oddly (octal, hexadecimal, short, with a zone) are refused,
            because resolvers read them in ways of their own.

    Source: RFC 1123 section 2.1, RFC 6943 section 3.1.1, WHATWG URL section 3.5 ("ends in a number").
    """
    if text.startswith("["):
        return _read_ipv6(text)
    host = text.lower() if text.isascii() else _to_ascii(text)
    if host.endswith("."):
        raise HostError("ends in a dot; leave it out")
    labels = host.split(".")
    if len(host) > _HOST_CHARS_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise HostError("is no host name")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))  # strict: four decimal numbers without leading zeros
        except ValueError as exc:
            raise HostError("spells an address oddly; write four decimal numbers") from exc
    return host


def literal_address(host: str) -> Address | None:
    """The address that a host from `read_host` is; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _read_ipv6(text: str) -> str:
    inside = text[1:-1]
    if not text.endswith("]") or "%" in inside:
        raise HostError("has an IPv6 address with a zone, or none between its brackets")
    try:
        return str(IPv6Address(inside))
    except ValueError as exc:
        raise HostError("has brackets without an IPv6 address") from exc


def _to_ascii(text: str) -> str:
    try:
        return idna.encode(text, strict=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError) as exc:
        raise HostError("is no international host name in its plain spelling; write its xn-- form") from exc
