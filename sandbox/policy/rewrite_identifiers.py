"""Rewrites of names: private and special names, arguments, attributes, and the builtins that agents do not have."""

# ruff: noqa: N802 - `ast.NodeVisitor` dispatches on the names of node classes

import ast

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

from sandbox.policy.rewrite_base import Located, Rewriting, call_hook, load, placed
from sandbox.policy.rewrite_names import (
    CLASS_VARIABLES,
    HOOK,
    PREFIX,
    READABLE,
    SPECIAL_METHODS,
    is_special,
    private_name,
    special_name,
)

ABSENT_BUILTINS = {
    "open": "agents have no files: take text from `inputs`, or use io.StringIO",
    "input": "nobody types into an agent: read the values from `inputs`",
    "eval": "text cannot be run as code: use json.loads, int(), float() or a parser of your own",
    "exec": "text cannot be run as code: write the code in the program",
    "compile": "text cannot be run as code: write the code in the program",
    "globals": "keep the values in a dict of your own",
    "locals": "keep the values in a dict of your own",
    "vars": "name the attributes, or use dataclasses.asdict()",
    "dir": "name the attributes that you need",
    "memoryview": "use bytes or bytearray",
    "breakpoint": "use print() or ctx.log()",
    "exit": "return from run(), or raise an exception",
    "quit": "return from run(), or raise an exception",
    "help": "use print() or ctx.log()",
    "ExceptionGroup": "raise one exception, or return a list of what went wrong",
    "BaseExceptionGroup": "raise one exception, or return a list of what went wrong",
    "__import__": "use an import statement",
    "__file__": "agents have no files",
    "__builtins__": "builtins are used by their names",
    "__doc__": "write the text where it is used",
    "__class__": "use type(self)",
}

_ABSENT_ATTRIBUTES = {
    "__dict__": "name the attributes, or use dataclasses.asdict()",
    "__subclasses__": "keep a list of your classes",
    "__new__": "make the object in __init__ or in a function",
    "__setattr__": "assign the attribute, or use setattr()",
    "__delattr__": "use del or delattr()",
    "__getattribute__": "read the attribute, or use getattr()",
    "__traceback__": "use the exception's type and text",
    "__context__": "use `raise ... from error` and `__cause__`",
    "__annotations__": "list the names yourself, or use dataclasses.fields()",
    "__globals__": "pass the values as arguments",
    "__code__": "call the function",
}

# Names that the stock policy keeps for itself although they are harmless in the author's hands.
_TAKEN = frozenset({"printed"})
_RESERVED = frozenset({"print", "builtins", "breakpoint", "eval", "exec"})

_SPECIAL_HINTS = {
    "__getattr__": "define the attributes, or keep the values in a dict",
    "__getattribute__": "define the attributes, or keep the values in a dict",
    "__setattr__": "use a property with a setter",
    "__delattr__": "use an ordinary method",
    "__get__": "use property",
    "__set__": "use property",
    "__set_name__": "use property",
    "__new__": "make the object in __init__, or in a function",
    "__del__": "use a context manager: __enter__ and __exit__",
    "__init_subclass__": "register classes with a decorator",
    "__class_getitem__": "derive from typing.Generic",
    "__dir__": "use an ordinary method",
    "__reduce__": "use an ordinary method that gives a dict",
    "__getstate__": "use an ordinary method that gives a dict",
    "__setstate__": "use an ordinary method that takes a dict",
    "__aenter__": "write synchronous code",
    "__aexit__": "write synchronous code",
    "__aiter__": "write synchronous code",
    "__anext__": "write synchronous code",
    "__await__": "write synchronous code",
}


class IdentifierRewriting(Rewriting):
    """Spells every identifier as the compiled program has it, and remembers what is bound."""

    def __init__(self) -> None:
        super().__init__()
        self._class_name = ""
        self._in_class_body = False
        self._bound: set[str] = set()
        self._maybe_absent: list[tuple[ast.Name, str]] = []

    def refuse_absent_builtins(self) -> None:
        """Refuse the builtins that agents do not have, unless the program binds the name itself. Called last."""
        for node, name in self._maybe_absent:
            if name not in self._bound:
                hint = ABSENT_BUILTINS.get(name, "names of this form belong to Python")
                self.refuse(node, name, f"`{name}` is not available to agents: {hint}")

    def bind(self, name: str, node: Located) -> str:
        """The compiled spelling of a name that the program binds here."""
        self._bound.add(name)
        if name in _RESERVED:
            self.refuse(node, name, f"`{name}` cannot be redefined: choose another name")
        if self._in_class_body and is_special(name):
            return self._bind_special(name, node)
        return self.spell(name, node)

    def spell(self, name: str, node: Located) -> str:
        """The compiled spelling of an identifier, whatever it names."""
        if name[0] != "_":
            if name in _TAKEN:
                return private_name(name)
            if name.startswith(PREFIX):
                self.refuse(node, name, f"names that start with `{PREFIX}` are reserved: choose another name")
            return name
        if name == "_":
            return name
        return private_name(name, self._class_name)

    def _bind_special(self, name: str, node: Located) -> str:
        if name in SPECIAL_METHODS or name in CLASS_VARIABLES:
            return special_name(name)
        hint = _SPECIAL_HINTS.get(name, "use an ordinary method or name")
        self.refuse(node, name, f"classes of agents cannot define `{name}`: {hint}")
        return private_name(name)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Spell the name; `print` and `__name__` have fixed meanings."""
        name = node.id
        if not isinstance(node.ctx, ast.Load):
            node.id = self.bind(name, node)
            return node
        if name == "print":
            return placed(load(HOOK + "print"), node)
        if name == "__name__":
            return placed(ast.Constant("__main__"), node)
        if self._in_class_body and name in SPECIAL_METHODS:
            node.id = special_name(name)
            return node
        if name in ABSENT_BUILTINS or is_special(name):
            self._maybe_absent.append((node, name))
        node.id = self.spell(name, node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Spell the attribute's name; special ones may be read as far as the guards allow, and never assigned."""
        node.value = self.visit(node.value)
        if node.attr in INSPECT_ATTRIBUTES:
            message = f"the attribute `{node.attr}` belongs to the interpreter: do without it"
            self.refuse(self._at_attribute(node), node.attr, message)
        if not is_special(node.attr):
            node.attr = self.spell(node.attr, self._at_attribute(node))
            return node
        reading = isinstance(node.ctx, ast.Load)
        if reading and node.attr == "__class__":
            return placed(call_hook("type", node.value), node)
        of_object = isinstance(node.value, ast.Name) and node.value.id == "object"
        if reading and (node.attr in SPECIAL_METHODS | READABLE or (of_object and node.attr == "__setattr__")):
            node.attr = special_name(node.attr)
            return node
        hint = _ABSENT_ATTRIBUTES.get(node.attr, "use what the object offers under ordinary names")
        self.refuse(self._at_attribute(node), node.attr, f"the attribute `{node.attr}` is not available: {hint}")
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Keyword arguments that become text, as in `dict(_id=1)`, stay as they are."""
        if _takes_keywords_as_text(node.func):
            node.keywords = [_as_text(keyword) for keyword in node.keywords]
        self.generic_visit(node)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.keyword:
        """Keyword arguments are spelled like the parameters that they fill."""
        node.value = self.visit(node.value)
        if node.arg is not None:
            node.arg = self.spell(node.arg, node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """Spell a parameter and drop its annotation."""
        node.arg = self.bind(node.arg, node)
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Spell the name in its scope; the body is a scope of its own."""
        node.decorator_list = self.visit_expressions(node.decorator_list)
        node.name = self.bind(node.name, node)
        node.returns = None
        outer = self._in_class_body
        self._in_class_body = False
        node.args = self.visit(node.args)
        node.body = self.visit_statements(node.body)
        self._in_class_body = outer
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        """A lambda's body is a scope of its own."""
        outer = self._in_class_body
        self._in_class_body = False
        self.generic_visit(node)
        self._in_class_body = outer
        return node

    def visit_Global(self, node: ast.Global) -> ast.Global:
        """Spell the names."""
        node.names = [self.spell(name, node) for name in node.names]
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.Nonlocal:
        """Spell the names."""
        node.names = [self.spell(name, node) for name in node.names]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        """Spell the name that the exception is bound to."""
        if node.type is not None:
            node.type = self.visit(node.type)
        if node.name is not None:
            node.name = self.bind(node.name, node)
        node.body = self.visit_statements(node.body)
        return node

    @staticmethod
    def _at_attribute(node: ast.Attribute) -> ast.expr:
        """The place of the attribute's own name."""
        if node.end_lineno is None or node.end_col_offset is None:
            return node
        return ast.Name(
            node.attr,
            ast.Load(),
            lineno=node.end_lineno,
            col_offset=max(0, node.end_col_offset - len(node.attr.encode())),
        )


def _takes_keywords_as_text(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return function.attr == "format"
    return isinstance(function, ast.Name) and function.id == "dict"


def _as_text(keyword: ast.keyword) -> ast.keyword:
    """`_id=1` as `**{"_id": 1}`."""
    if keyword.arg is None or not keyword.arg.startswith("_"):
        return keyword
    table = ast.Dict([ast.Constant(keyword.arg)], [keyword.value])
    return placed(ast.keyword(None, placed(table, keyword.value)), keyword)
