"""The monty tier: an interpreter that has no operating system, in a worker process behind a kernel wall."""

from sandbox.monty.sandbox import MontySandbox

__all__ = ["MontySandbox"]
