"""What every rewrite of a construct shares: refusals, temporaries, places in the author's source."""

import ast
from typing import TypeVar

from sandbox.policy.rewrite_names import HOOK, TEMPORARY
from sandbox.types import Refusal

Located = ast.stmt | ast.expr | ast.arg | ast.keyword | ast.alias | ast.excepthandler | ast.pattern
NodeT = TypeVar("NodeT", bound=ast.AST)


class Rewriting(ast.NodeTransformer):
    """Base of the rewrites. `refusals` collects what cannot be rewritten, in the order of the walk."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []
        self._temporaries = 0

    def refuse(self, node: Located, construct: str, message: str) -> None:
        """Refuse what starts at `node`. Columns count UTF-8 bytes here; `compile_program` makes them characters."""
        self.refusals.append(Refusal(node.lineno, node.col_offset + 1, construct, message))

    def new_temporary(self) -> str:
        """A name that no other part of the program uses."""
        self._temporaries += 1
        return f"{TEMPORARY}{self._temporaries}"

    def visit_statements(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Rewrite a block; one statement may become several."""
        rewritten: list[ast.stmt] = []
        for statement in statements:
            result = self.visit(statement)
            if isinstance(result, list):
                rewritten.extend(result)
            else:
                rewritten.append(result)
        return rewritten

    def visit_expressions(self, expressions: list[ast.expr]) -> list[ast.expr]:
        """Rewrite expressions, each into one."""
        return [self.visit(expression) for expression in expressions]


def load(name: str) -> ast.Name:
    """Read a name."""
    return ast.Name(name, ast.Load())


def store(name: str) -> ast.Name:
    """Bind a name."""
    return ast.Name(name, ast.Store())


def call_hook(hook: str, *arguments: ast.expr) -> ast.Call:
    """Call one of the names that rewritten code finds in its globals."""
    return ast.Call(load(HOOK + hook), list(arguments), [])


def placed(node: NodeT, origin: ast.AST) -> NodeT:
    """The new node and all in it that has no place yet, at the author's place of `origin`."""
    return ast.fix_missing_locations(ast.copy_location(node, origin))


def last_name(expression: ast.expr) -> str:
    """`c` of `c` or of `a.b.c`; empty for any other expression."""
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""
