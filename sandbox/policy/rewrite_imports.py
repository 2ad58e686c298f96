"""Rewrite of imports: only what the facades offer, checked before anything runs."""

# ruff: noqa: N802 - `ast.NodeVisitor` dispatches on the names of node classes

import ast

from sandbox.policy import facades
from sandbox.policy.rewrite_base import last_name
from sandbox.policy.rewrite_identifiers import IdentifierRewriting

_IMPORT_FAILURES = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


class ImportRewriting(IdentifierRewriting):
    """`import` and `from ... import`. An import that the program itself expects to fail may do so at run time."""

    def __init__(self) -> None:
        super().__init__()
        self._may_fail = False

    def visit_Import(self, node: ast.Import) -> ast.stmt:
        """Check the modules."""
        for alias in node.names:
            self._check_module(alias.name, alias)
            self._rename(alias, bound=alias.name.partition(".")[0])
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        """Check module and names; `*` becomes the module's public names."""
        module = node.module or ""
        if node.level:
            self.refuse(node, "relative import", "an agent is one file: define what you need in it")
        elif module == "__future__":
            return ast.copy_location(ast.Pass(), node)
        elif self._check_module(module, node):
            if node.names[0].name == "*":
                names = sorted(name for name in facades.MODULES[module] if not name.startswith("_"))
                if not names:
                    return ast.copy_location(ast.Pass(), node)
                node.names = [ast.copy_location(ast.alias(name), node.names[0]) for name in names]
            for alias in node.names:
                self._check_name(module, alias)
        for alias in node.names:
            self._rename(alias, bound=alias.name)
        return node

    def visit_Try(self, node: ast.Try) -> ast.Try:
        """Imports inside `try: ... except ImportError:` are the program's to handle."""
        outer = self._may_fail
        self._may_fail = outer or any(_handles_import_failure(handler) for handler in node.handlers)
        node.body = self.visit_statements(node.body)
        self._may_fail = outer
        node.handlers = [self.visit(handler) for handler in node.handlers]
        node.orelse = self.visit_statements(node.orelse)
        node.finalbody = self.visit_statements(node.finalbody)
        return node

    def visit_If(self, node: ast.If) -> ast.If:
        """What is imported for a type checker only is never imported."""
        node.test = self.visit(node.test)
        outer = self._may_fail
        self._may_fail = outer or last_name(node.test) == "TYPE_CHECKING"
        node.body = self.visit_statements(node.body)
        self._may_fail = outer
        node.orelse = self.visit_statements(node.orelse)
        return node

    def _check_module(self, module: str, node: ast.alias | ast.stmt) -> bool:
        if facades.known_module(module):
            return True
        if not self._may_fail or module.startswith("_"):
            self.refuse(node, f"import {module}", _reason(module))
        return False

    def _check_name(self, module: str, alias: ast.alias) -> None:
        if facades.known_name(module, alias.name):
            return
        if not self._may_fail or alias.name.startswith("_"):
            self.refuse(alias, f"from {module} import {alias.name}", _reason(module, alias.name))

    def _rename(self, alias: ast.alias, bound: str) -> None:
        if alias.asname is not None:
            alias.asname = self.bind(alias.asname, alias)
        else:
            self.bind(bound, alias)


def _handles_import_failure(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(type_, ast.Name) and type_.id in _IMPORT_FAILURES for type_ in types)


def _reason(module: str, *names: str) -> str:
    """Why the import fails and what there is instead, in the words that the program would see at run time."""
    try:
        facades.import_facade(module, fromlist=names)
    except ImportError as error:
        return str(error)
    return f"`{module}` is not available"
