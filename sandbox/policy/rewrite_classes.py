"""Rewrite of class definitions: their scope, their annotated names, `metaclass=ABCMeta`."""

# ruff: noqa: N802 - `ast.NodeVisitor` dispatches on the names of node classes

import ast

from sandbox.policy.rewrite_base import load, placed, store
from sandbox.policy.rewrite_identifiers import IdentifierRewriting
from sandbox.policy.rewrite_names import ANNOTATIONS, HOOK, is_special

_IGNORED_KEYWORDS = frozenset({"total"})  # of TypedDict; says nothing at run time


class ClassRewriting(IdentifierRewriting):
    """`class`, with the annotated names of its body as a table that `dataclass` and `NamedTuple` read."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Spell name, bases and body; the stock policy sees no class keywords."""
        node.decorator_list = self.visit_expressions(node.decorator_list)
        node.bases = self.visit_expressions(node.bases)
        self._rewrite_keywords(node)
        outer = self._class_name, self._in_class_body
        self._class_name, self._in_class_body = node.name, True
        table = self._annotation_table(node)
        node.body = self.visit_statements(node.body)
        if table.keys:
            start = 1 if ast.get_docstring(node, clean=False) is not None else 0
            node.body.insert(start, placed(ast.Assign([store(ANNOTATIONS)], table), node))
        self._class_name, self._in_class_body = outer
        node.name = self.bind(node.name, node)
        return node

    def _annotation_table(self, node: ast.ClassDef) -> ast.Dict:
        """The names that the body itself annotates, in order, each with its annotation as text."""
        table = ast.Dict([], [])
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.simple:
                name = statement.target.id
                if not is_special(name):
                    table.keys.append(ast.Constant(self.spell(name, statement.target)))
                    table.values.append(ast.Constant(_annotation_text(statement.annotation)))
        return table

    def _rewrite_keywords(self, node: ast.ClassDef) -> None:
        for keyword in node.keywords:
            if keyword.arg == "metaclass" and ast.unparse(keyword.value) in ("ABCMeta", "abc.ABCMeta"):
                node.bases.append(placed(load(HOOK + "abc"), keyword.value))
            elif keyword.arg == "metaclass":
                message = "only `metaclass=ABCMeta` is available: use inheritance or a class decorator instead"
                self.refuse(keyword, "metaclass", message)
            elif keyword.arg not in _IGNORED_KEYWORDS:
                construct = keyword.arg or "**"
                self.refuse(keyword, construct, "class keywords are not available: set a class variable instead")
        node.keywords = []


def _annotation_text(annotation: ast.expr) -> str:
    """The annotation as text that only names types, because library code may evaluate it."""
    return ast.unparse(_names_only(annotation))


def _names_only(node: ast.expr) -> ast.expr:
    """The type expression with `object` for all that is not made of public names, subscripts and `|`."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return _parse_quoted(node.value)
        if node.value is None or node.value is Ellipsis:
            return node
    elif isinstance(node, ast.Name) and not node.id.startswith("_"):
        return node
    elif isinstance(node, ast.Attribute) and not node.attr.startswith("_"):
        return ast.Attribute(_names_only(node.value), node.attr, ast.Load())
    elif isinstance(node, ast.Subscript):
        return ast.Subscript(_names_only(node.value), _names_only(node.slice), ast.Load())
    elif isinstance(node, ast.Tuple | ast.List):
        return type(node)([_names_only(element) for element in node.elts], ast.Load())
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return ast.BinOp(_names_only(node.left), node.op, _names_only(node.right))
    return load("object")


def _parse_quoted(text: str) -> ast.expr:
    try:
        return _names_only(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError):
        return load("object")
