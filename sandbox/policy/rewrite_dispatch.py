"""Rewrite of `@show.register` above a function that says by its annotation which class it is for."""

# ruff: noqa: N802 - `ast.NodeVisitor` dispatches on the names of node classes

import ast

from sandbox.policy.rewrite_base import last_name
from sandbox.policy.rewrite_identifiers import IdentifierRewriting

# Which parameter of a dispatched function decides.
_DECIDING_PARAMETER = {"singledispatch": 0, "singledispatchmethod": 1}


class DispatchRewriting(IdentifierRewriting):
    """`functools.singledispatch` reads annotations, which do not reach the compiled program: pass it the class."""

    def __init__(self) -> None:
        super().__init__()
        self._dispatched: dict[str, int] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """`@show.register` becomes `@show.register(int)` for `def _(value: int)`."""
        for decorator in node.decorator_list:
            if (name := last_name(decorator)) in _DECIDING_PARAMETER:
                self._dispatched[node.name] = _DECIDING_PARAMETER[name]
        node.decorator_list = [self._with_class(decorator, node) for decorator in node.decorator_list]
        return super().visit_FunctionDef(node)

    def _with_class(self, decorator: ast.expr, node: ast.FunctionDef) -> ast.expr:
        if not isinstance(decorator, ast.Attribute) or decorator.attr != "register":
            return decorator
        position = self._dispatched.get(last_name(decorator.value))
        parameters = [*node.args.posonlyargs, *node.args.args]
        if position is None or position >= len(parameters):
            return decorator
        annotation = parameters[position].annotation
        if annotation is None:
            return decorator
        return ast.copy_location(ast.Call(decorator, [annotation], []), decorator)
