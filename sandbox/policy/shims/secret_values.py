"""`secrets`, remembered as use of the kernel's randomness."""

import base64
import secrets
from collections.abc import Sequence
from typing import TypeVar

from sandbox.policy.shims.randomness import SystemRandom, read_randomness

__all__ = ["SystemRandom", "choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe"]

_T = TypeVar("_T")
_system = SystemRandom()


def choice(sequence: Sequence[_T]) -> _T:
    """One item. Raises IndexError for an empty sequence."""
    return _system.choice(sequence)


def randbelow(exclusive_upper_bound: int) -> int:
    """A number in [0, bound). Raises ValueError unless the bound is positive."""
    if exclusive_upper_bound <= 0:
        raise ValueError("Upper bound must be positive.")
    return _system.randrange(exclusive_upper_bound)


def randbits(k: int) -> int:
    """A number of `k` random bits."""
    return _system.getrandbits(k)


def token_bytes(nbytes: int | None = None) -> bytes:
    """Random bytes, 32 unless told."""
    return read_randomness(secrets.DEFAULT_ENTROPY if nbytes is None else nbytes)


def token_hex(nbytes: int | None = None) -> str:
    """Random bytes as hexadecimal digits."""
    return token_bytes(nbytes).hex()


def token_urlsafe(nbytes: int | None = None) -> str:
    """Random bytes as text that fits into a URL."""
    return base64.urlsafe_b64encode(token_bytes(nbytes)).rstrip(b"=").decode("ascii")
