"""The front of the policy: rewrites the author's tree into the subset that RestrictedPython accepts."""

import ast

from sandbox.policy.rewrite_assign import AssignRewriting
from sandbox.policy.rewrite_classes import ClassRewriting
from sandbox.policy.rewrite_dispatch import DispatchRewriting
from sandbox.policy.rewrite_imports import ImportRewriting
from sandbox.policy.rewrite_match import MatchRewriting
from sandbox.policy.rewrite_refused import RefusedConstructs
from sandbox.types import Refusal

_RUN_PARAMETERS_MAX = 2


class Rewriter(AssignRewriting, ClassRewriting, DispatchRewriting, ImportRewriting, MatchRewriting, RefusedConstructs):
    """Every rewrite in one walk over the tree."""


def rewrite_program(tree: ast.Module) -> tuple[ast.Module, list[Refusal]]:
    """Rewrite in place; the tree is of use only when nothing was refused.

    Returns:
        The tree and what was refused, with columns counted in UTF-8 bytes from 1.
    """
    rewriter = Rewriter()
    _check_entry_point(tree, rewriter)
    tree.body = rewriter.visit_statements(tree.body)
    rewriter.refuse_absent_builtins()
    return tree, rewriter.refusals


def _check_entry_point(tree: ast.Module, rewriter: Rewriter) -> None:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    runs = [function for function in functions if function.name == "run"]
    if not runs:
        message = "the program must define `run`, `run(inputs)` or `run(inputs, ctx)` at top level with `def`"
        rewriter.refusals.append(Refusal(1, 1, "run", message))
        return
    arguments = runs[-1].args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    required_keywords = [default for default in arguments.kw_defaults if default is None]
    if positional > _RUN_PARAMETERS_MAX or required_keywords:
        rewriter.refuse(
            runs[-1], "run", "`run` is called as run(), run(inputs) or run(inputs, ctx): take at most these two"
        )
