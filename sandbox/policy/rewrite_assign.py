"""Rewrites of assignments: annotated, augmented, to several targets."""

# ruff: noqa: N802 - `ast.NodeVisitor` dispatches on the names of node classes

import ast

from sandbox.policy.rewrite_base import Rewriting, load, placed, store


class AssignRewriting(Rewriting):
    """`x: int = 1`, `self.n += 1`, `d[k] += 1`, `a, b = c = f()`."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | list[ast.stmt]:
        """Keep the assignment, drop the annotation; class bodies keep theirs in a table of their own."""
        if node.value is None:
            return placed(ast.Pass(), node)
        return self.visit_Assign(placed(ast.Assign([node.target], node.value), node))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt | list[ast.stmt]:
        """Read an attribute or item into a temporary, augment that, assign it back; each part is evaluated once."""
        node.target = self.visit(node.target)
        target = node.target
        if isinstance(target, ast.Name):
            node.value = self.visit(node.value)
            return node
        before: list[ast.stmt] = []
        target.value = self._keep(target.value, before)
        read: ast.expr
        if isinstance(target, ast.Attribute):
            read = ast.Attribute(target.value, target.attr, ast.Load())
        else:
            target.slice = self._keep(target.slice, before)
            read = ast.Subscript(target.value, target.slice, ast.Load())
        value = self.new_temporary()
        before.append(placed(ast.Assign([store(value)], placed(read, target)), node))
        augment = ast.AugAssign(store(value), node.op, self.visit(node.value))
        return [*before, placed(augment, node), placed(ast.Assign([target], load(value)), node)]

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
        """With several targets of which one unpacks, the stock policy would evaluate the value for each."""
        node.value = self.visit(node.value)
        node.targets = self.visit_expressions(node.targets)
        if len(node.targets) == 1 or not any(isinstance(target, ast.Tuple) for target in node.targets):
            return node
        name = self.new_temporary()
        assigns = [ast.Assign([store(name)], node.value), *(ast.Assign([to], load(name)) for to in node.targets)]
        return [placed(assign, node) for assign in assigns]

    def visit_List(self, node: ast.List) -> ast.expr:
        """`[a, b] = x` unpacks as `a, b = x` does, so that it is guarded the same."""
        elements = self.visit_expressions(node.elts)
        if isinstance(node.ctx, ast.Load):
            node.elts = elements
            return node
        return placed(ast.Tuple(elements, node.ctx), node)

    def _keep(self, expression: ast.expr, before: list[ast.stmt]) -> ast.expr:
        """The expression itself when it is constant, else a temporary that `before` binds to it."""
        if isinstance(expression, ast.Constant):
            return expression
        name = self.new_temporary()
        before.append(placed(ast.Assign([store(name)], expression), expression))
        return placed(load(name), expression)
