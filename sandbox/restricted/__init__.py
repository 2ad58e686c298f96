"""The restricted tier: RestrictedPython under a kernel wall, in a single-use child of a warmed zygote."""

from sandbox.restricted.sandbox import RestrictedSandbox

__all__ = ["RestrictedSandbox"]
