"""The docker tier: plain CPython in hardened containers, each of one owner and with one run at a time."""

from sandbox.docker.sandbox import DockerSandbox

__all__ = ["DockerSandbox"]
