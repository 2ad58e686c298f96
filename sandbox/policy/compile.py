"""From an author's source to a code object, or to refusals that say what to write instead."""

# ruff: noqa: N802 - `ast.NodeVisitor` dispatches on the names of node classes

import ast
import re
import warnings
from dataclasses import dataclass, replace
from types import CodeType
from typing import cast

from RestrictedPython.transformer import RestrictingNodeTransformer, copy_locations

from sandbox.policy.rewrite import rewrite_program
from sandbox.policy.rewrite_inline import GuardInlining
from sandbox.policy.rewrite_names import author_name
from sandbox.types import Refusal

REFUSALS_MAX = 100
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program after the policy looked at it. `code` is None when anything was refused."""

    code: CodeType | None
    refusals: tuple[Refusal, ...] = ()


class Policy(RestrictingNodeTransformer):
    """The stock policy; refusals keep their column, classes their place, `nonlocal` is judged like any other name."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[Refusal] = []

    def error(self, node: ast.AST, info: str) -> None:
        """Record one refusal."""
        place = (getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1)
        self.refusals.append(Refusal(*place, type(node).__name__, author_name(info)))

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Leave the class where the author wrote it; the stock policy puts it on line 1."""
        rewritten = cast("ast.ClassDef", super().visit_ClassDef(node))
        copy_locations(rewritten, node)
        return rewritten

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        """Check each name as an assigned name is checked; what is rebound is the author's own."""
        for name in node.names:
            self.check_name(node, name)
        return node


def compile_program(source: str, filename: str = "agent.py") -> Compiled:
    """Parse, rewrite, check and compile; nothing of the program runs.

    Returns:
        Code to be executed with fresh `guest_globals`, or at most `REFUSALS_MAX` refusals in source order.

    Raises:
        RecursionError, MemoryError: the source is nested too deeply or too large to be looked at.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a doubtful escape in a string is the author's business
        try:
            return _parse_and_compile(source, filename)
        except SyntaxError as error:
            return Compiled(None, (_syntax_refusal(error),))


def _parse_and_compile(source: str, filename: str) -> Compiled:
    try:
        tree = ast.parse(source, filename)
        compile(tree, filename, "exec", dont_inherit=True)  # finds what the parser does not, under the author's names
    except ValueError as error:  # NUL characters, lone surrogates
        return Compiled(None, (Refusal(1, 1, "source", f"the source cannot be read: {error}"),))
    return _compile_tree(tree, source, filename)


def _compile_tree(tree: ast.Module, source: str, filename: str) -> Compiled:
    tree, refusals = rewrite_program(tree)
    if not refusals:
        policy = Policy()
        policy.visit(tree)
        refusals = policy.refusals
    if refusals:
        return Compiled(None, _in_source_order(refusals, source))
    GuardInlining().visit(tree)
    return Compiled(compile(tree, filename, "exec", dont_inherit=True))


def _syntax_refusal(error: SyntaxError) -> Refusal:
    message = f"Python cannot read this: {author_name(error.msg)}"
    return Refusal(max(1, error.lineno or 1), max(1, error.offset or 1), "syntax", message)


def _in_source_order(refusals: list[Refusal], source: str) -> tuple[Refusal, ...]:
    """Each refusal once, its column counted in characters."""
    lines = _LINE_END.split(source)
    placed = {replace(refusal, column=_count_characters(lines, refusal)) for refusal in refusals}
    ordered = sorted(placed, key=lambda refusal: (refusal.line, refusal.column, refusal.construct, refusal.message))
    return tuple(ordered[:REFUSALS_MAX])


def _count_characters(lines: list[str], refusal: Refusal) -> int:
    if refusal.line > len(lines):
        return refusal.column
    line = lines[refusal.line - 1]
    if line.isascii():
        return refusal.column
    return len(line.encode()[: refusal.column - 1].decode(errors="ignore")) + 1
