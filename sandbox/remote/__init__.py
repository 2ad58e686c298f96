"""Sandboxes of another process: one host runs the programs of every server process on its machine, over a socket."""

from sandbox.remote.client import RemoteSandbox, connect_sandboxes
from sandbox.remote.host import SandboxHost

__all__ = ["RemoteSandbox", "SandboxHost", "connect_sandboxes"]
