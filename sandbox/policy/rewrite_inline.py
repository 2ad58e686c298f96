"""After the stock policy: drops guard calls whose answer is known when the program is compiled.

The policy sees and judges the whole program first. Its hooks then split in two. What depends on the object stays a
call: attribute writes, and reads of the few names in `CHECKED_NAMES`. The others would do here exactly what Python's
own operation does: `_getitem_` would be `operator.getitem`, `_getiter_` `iter`, `_getattr_` of any other name
`getattr`, and no type that takes item assignment needs protection from it. So the operation takes their place. Hook
names start with an underscore, so every call of one was made by the policy and none by the author.
"""

import ast

from RestrictedPython.transformer import IOPERATOR_TO_STR

from sandbox.policy.rewrite_names import CHECKED_NAMES

_OPERATORS = {symbol: operator for operator, symbol in IOPERATOR_TO_STR.items()}
_PASSED_THROUGH = frozenset({"_getiter_", "_iter_unpack_sequence_", "_unpack_sequence_"})


class GuardInlining(ast.NodeTransformer):
    """Puts Python's own operations in place of guards that would do the same."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Reads of attributes and items, iteration, unpacking, calls with star-arguments."""
        hook = _hook(node)
        if hook in _PASSED_THROUGH:
            return self.visit_expression(node.args[0])
        self.generic_visit(node)
        if hook == "_getattr_":
            return _inline_attribute(node)
        if hook == "_getitem_":
            return ast.copy_location(ast.Subscript(node.args[0], node.args[1], ast.Load()), node)
        if hook == "_apply_":
            node.func = node.args.pop(0)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Writes of items. The type decides whether it takes them, and none that does is ours."""
        if isinstance(node.value, ast.Call) and _hook(node.value) == "_write_":
            node.value = node.value.args[0]
        self.generic_visit(node)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        """`n = _inplacevar_("+=", n, 1)` is `n += 1`."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Call) and _hook(node.value) == "_inplacevar_":
            symbol, _, value = node.value.args
            target = node.targets[0]
            if isinstance(target, ast.Name):
                return ast.copy_location(ast.AugAssign(target, _OPERATORS[_text(symbol)](), value), node)
        return node

    def visit_expression(self, node: ast.expr) -> ast.expr:
        """One expression, rewritten."""
        rewritten: ast.expr = self.visit(node)
        return rewritten


def _hook(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _inline_attribute(node: ast.Call) -> ast.expr:
    name = _text(node.args[1])
    if name in CHECKED_NAMES:
        return node
    return ast.copy_location(ast.Attribute(node.args[0], name, ast.Load()), node)
