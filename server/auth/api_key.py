"""The form of an API key: `gbx_<random>_<checksum>`. A string that was never a key is refused by its checksum alone."""

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass, field

from server.auth.errors import Reason, UnauthenticatedError

KEY_MARK = "gbx_"
RANDOM_CHARS = 24  # of 62: 142 bits
CHECKSUM_CHARS = 6  # 62 ** 6 > 2 ** 32
PREFIX_CHARS = 8
LAST_CHARS = 4

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY = re.compile(rf"gbx_([0-9A-Za-z]{{{RANDOM_CHARS}}})_([0-9A-Za-z]{{{CHECKSUM_CHARS}}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new key: `text` is shown once and kept nowhere; the rest is what a store keeps of it."""

    text: str = field(repr=False)
    key_hash: bytes = field(repr=False)
    prefix: str
    last4: str


def mint_key() -> MintedKey:
    """Make a key that nobody has."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(RANDOM_CHARS))
    text = f"{KEY_MARK}{random}_{_checksum(random)}"
    return MintedKey(text, _digest(text), random[:PREFIX_CHARS], random[-LAST_CHARS:])


def hash_key(text: str) -> bytes:
    """The SHA-256 that a key is stored and looked up by.

    One round without salt is enough: there is nothing to guess in `RANDOM_CHARS` random characters.

    Raises:
        UnauthenticatedError: no key was ever made like this; nothing needs to be looked up.
    """
    match = _KEY.fullmatch(text)
    if match is None or _checksum(match[1]) != match[2]:
        raise UnauthenticatedError(Reason.MALFORMED)
    return _digest(text)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii")).digest()


def _checksum(random: str) -> str:
    """The CRC-32 of the mark and the random part, in base 62: it finds typing errors and garbage, not forgers."""
    number = zlib.crc32(f"{KEY_MARK}{random}".encode("ascii"))
    digits = []
    for _ in range(CHECKSUM_CHARS):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
