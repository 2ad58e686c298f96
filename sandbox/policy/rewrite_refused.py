"""Constructs that are refused with a hint, because no rewrite would be safe or honest."""

# ruff: noqa: N802 - `ast.NodeVisitor` dispatches on the names of node classes

import ast

from sandbox.policy.rewrite_base import Rewriting

_SYNCHRONOUS = "write synchronous code: an agent has nothing to wait for concurrently"


class RefusedConstructs(Rewriting):
    """`async`, `await`, `except*`."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Refuse; the body is not looked at."""
        self.refuse(node, "async def", _SYNCHRONOUS)
        return node

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """Refuse."""
        self.refuse(node, "async for", _SYNCHRONOUS)
        return node

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        """Refuse."""
        self.refuse(node, "async with", _SYNCHRONOUS)
        return node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        """Refuse."""
        self.refuse(node, "await", _SYNCHRONOUS)
        return node

    def visit_TryStar(self, node: ast.TryStar) -> ast.AST:
        """Refuse: CPython 3.11 can be crashed by `except*`.

        Source: CVE-2025-22153.
        """
        self.refuse(node, "except*", "exception groups are not available: use `except`")
        return node
