"""`uuid.uuid4`, remembered as use of the kernel's randomness."""

from uuid import UUID

from sandbox.policy.shims.randomness import read_randomness

__all__ = ["uuid4"]


def uuid4() -> UUID:
    """A random UUID."""
    return UUID(bytes=read_randomness(16), version=4)
