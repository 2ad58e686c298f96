"""Where a secret comes back in an answer: as it is, or escaped as in URLs, JSON or HTML, character by character."""

import html
import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

_JSON = rb"\\u(?:d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|[0-9a-f]{4})|\\[\"\\/bfnrt]"
_HTML = rb"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|amp|lt|gt|quot|apos);"

_Unescape = Callable[[bytes], bytes]


def scrub(body: bytes, echoes: Mapping[bytes, bytes]) -> bytes:
    """A body with each echo replaced by what stands for it.

    Args:
        body: of whatever bytes; where they are text, in UTF-8.
        echoes: what may come back, longest first, and its replacement.
    """
    if not echoes:
        return body
    for echo, replacement in echoes.items():
        body = body.replace(echo, replacement)
    for mark, escape, unescape in _KINDS:
        if mark in body:
            body = _scrub_escaped(body, _unescaped(body, escape, unescape), echoes)
    return body


@dataclass(slots=True)
class _Plain:
    """Text without its escapes, and where each of them was, as arrays: a body may be nothing but escapes."""

    text: bytearray = field(default_factory=bytearray)
    starts: "array[int]" = field(default_factory=lambda: array("Q"))
    ends: "array[int]" = field(default_factory=lambda: array("Q"))
    origin_starts: "array[int]" = field(default_factory=lambda: array("Q"))
    origin_ends: "array[int]" = field(default_factory=lambda: array("Q"))

    def add(self, character: bytes, origin: tuple[int, int]) -> None:
        self.starts.append(len(self.text))
        self.text += character
        self.ends.append(len(self.text))
        self.origin_starts.append(origin[0])
        self.origin_ends.append(origin[1])

    def origin(self, index: int) -> tuple[int, int]:
        """Where the byte at `index` came from: a byte, or an escape."""
        escape = bisect_right(self.starts, index) - 1
        if escape < 0:
            return index, index + 1
        if index < self.ends[escape]:
            return self.origin_starts[escape], self.origin_ends[escape]
        start = self.origin_ends[escape] + index - self.ends[escape]
        return start, start + 1


def _unescaped(body: bytes, escape: re.Pattern[bytes], unescape: _Unescape) -> _Plain:
    plain, end = _Plain(), 0
    for found in escape.finditer(body):
        plain.text += body[end : found.start()]
        plain.add(unescape(found[0]), found.span())
        end = found.end()
    plain.text += body[end:]
    return plain


def _scrub_escaped(body: bytes, plain: _Plain, echoes: Mapping[bytes, bytes]) -> bytes:
    spans = [
        (plain.origin(start)[0], plain.origin(start + len(echo) - 1)[1], replacement)
        for echo, replacement in echoes.items()
        for start in _places(plain.text, echo)
    ]
    scrubbed, end = bytearray(), 0
    for start, stop, replacement in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= end:
            scrubbed += body[end:start] + replacement
        end = max(end, stop)
    return bytes(scrubbed + body[end:])


def _places(text: bytearray, echo: bytes) -> Iterator[int]:
    start = text.find(echo)
    while start >= 0:
        yield start
        start = text.find(echo, start + len(echo))


def _of_json(escape: bytes) -> bytes:
    text: str = json.loads(b'"' + escape + b'"')
    return text.encode("utf-8", "surrogatepass")


# Each kind is read alone: what escapes for one leaves the marks of the others as they are.
_KINDS: tuple[tuple[bytes, re.Pattern[bytes], _Unescape], ...] = (
    # RFC 3986 section 2.1: hexadecimal digits of either case are the same.
    (b"%", re.compile(rb"%[0-9a-f]{2}", re.IGNORECASE), lambda escape: bytes.fromhex(escape[1:].decode())),
    # RFC 8259 section 7: any character may be escaped.
    (b"\\", re.compile(_JSON, re.IGNORECASE), _of_json),
    (b"&", re.compile(_HTML, re.IGNORECASE), lambda escape: html.unescape(escape.decode()).encode()),
)
