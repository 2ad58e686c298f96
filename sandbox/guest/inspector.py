"""Looks at a program's source for one check: what it imports, which names and methods it takes from the language.

Started as `python inspector.py CHANNEL_FD UID`: it builds the wall of a restricted child around itself and then reads
one JOB frame, the source, and answers VALUE (JSON, see `inspect_source`) or REFUSED (JSON list of refusals). A parser
can be crashed and a tree can be deep, so the server never parses what agents are made of.
"""

import ast
import json
import os
import resource
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.guest import seccomp, wall
from sandbox.guest.frames import Kind, read_frame, write_frame

MEMORY_BYTES_MAX = 512 * 1024 * 1024
CPU_S_MAX = 4
FINDINGS_MAX = 500
# What uses up an iterator at once, so that it does not matter whether it was made at once.
_CONSUMERS = frozenset(
    {"list", "tuple", "set", "frozenset", "dict", "sum", "sorted", "min", "max", "any", "all"}
    | {"Counter", "deque", "join", "extend", "update", "fsum", "prod", "reduce"}
)
# What iterates over a set without telling its order.
_ORDERLESS = frozenset({"sorted", "sum", "set", "frozenset", "any", "all", "min", "max", "len", "Counter"})
_ORDERED = frozenset({"list", "tuple", "enumerate", "iter", "map", "filter", "zip", "str", "repr", "print", "reversed"})
_SETS = frozenset({"set", "frozenset"})
_SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference"})
_SPECIAL_BINDINGS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def main() -> None:
    """Seal, inspect one source, answer, end."""
    channel = int(sys.argv[1])
    if os.geteuid() == 0:
        wall.drop_to(int(sys.argv[2]))
    wall.leave_host_namespaces()
    wall.seal(channel, seccomp.build_filter())
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    _, source = read_frame(wall.CHANNEL)
    try:
        findings = inspect_source(source.decode())
    except SyntaxError as error:
        _refuse(error.lineno or 1, error.offset or 1, "syntax", error.msg)
    except ValueError as error:
        _refuse(1, 1, "syntax", str(error))
    except (RecursionError, MemoryError):
        _refuse(1, 1, "program", "the program is nested too deeply: split its longest expressions or blocks")
    else:
        write_frame(wall.CHANNEL, Kind.VALUE, json.dumps(findings).encode())
    os._exit(0)


def inspect_source(source: str) -> dict[str, list[list[Any]]]:
    """What a program takes from the language and its library, each with line and column, from 1.

    Returns:
        `imports` [module, name or "", line, column]; `names` that it reads and nowhere binds; `module_attributes`
        [module, name, ...] of modules imported whole; `methods` that it asks of objects and nowhere defines; `special`
        method names that its classes define; `set_orders`, places where the order of a set shows; `generators`,
        expressions that may have to be lazy; `guesses`, where it asks whether an object has an attribute; `run`, empty
        when the program defines none.

    Raises SyntaxError, ValueError, RecursionError, MemoryError.
    """
    tree = ast.parse(source, "agent.py")
    nodes = list(ast.walk(tree))
    bound, modules = _bound_names(nodes), _modules(nodes)
    defined = bound | {node.attr for node in nodes if isinstance(node, ast.Attribute) and _is_stored(node)}
    found: dict[str, list[list[Any]]] = {
        "imports": [row for node in nodes for row in _imports(node)],
        "names": [[node.id, *_place(node)] for node in nodes if isinstance(node, ast.Name) and node.id not in bound],
        "module_attributes": [
            [modules[node.value.id], node.attr, *_place(node)]
            for node in nodes
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
        ],
        "methods": [
            [node.attr, *_place(node)]
            for node in nodes
            if isinstance(node, ast.Attribute)
            and node.attr not in defined
            and not (isinstance(node.value, ast.Name) and node.value.id in modules)
        ],
        "special": [
            [item.name, *_place(item)]
            for node in nodes
            if isinstance(node, ast.ClassDef)
            for item in node.body
            if isinstance(item, ast.FunctionDef) and item.name.startswith("__") and item.name.endswith("__")
        ],
        "set_orders": [list(_place(node)) for node in _set_orders(nodes)],
        "generators": [list(_place(node)) for node in _lazy_generators(nodes)],
        "guesses": [list(_place(node)) for node in nodes if _is_guess(node)],
        "run": [list(_place(node)) for node in tree.body if _binds_run(node)],
    }
    return {name: _distinct(rows) for name, rows in found.items()}


def _distinct(rows: list[list[Any]]) -> list[list[Any]]:
    """The first place of each finding, in source order."""
    first: dict[tuple[Any, ...], list[Any]] = {}
    for row in sorted(rows, key=lambda row: row[-2:]):
        first.setdefault(tuple(row[:-2]), row)
    return list(first.values())[:FINDINGS_MAX]


def _place(node: Any) -> tuple[int, int]:
    return node.lineno, node.col_offset + 1


def _is_stored(node: ast.Name | ast.Attribute) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _bound_names(nodes: list[ast.AST]) -> set[str]:
    bound = set()
    for node in nodes:
        if isinstance(node, ast.Name) and _is_stored(node):
            bound.add(node.id)
        elif isinstance(node, _SPECIAL_BINDINGS):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            bound.add(node.name)
    return bound


def _modules(nodes: list[ast.AST]) -> dict[str, str]:
    """The modules that are imported whole, by the name they have in the program."""
    aliases = [alias for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {
        alias.asname or alias.name: alias.name for alias in aliases if alias.asname or "." not in alias.name
    }  # fmt: skip


def _imports(node: ast.AST) -> Iterator[list[Any]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield [alias.name, "", *_place(node)]
    elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
        for alias in node.names:
            yield ["." * node.level + (node.module or ""), alias.name, *_place(node)]


def _binds_run(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name == "run"
    stored = (name for name in ast.walk(node) if isinstance(name, ast.Name) and _is_stored(name))
    imported = (alias for alias in ast.walk(node) if isinstance(alias, ast.alias))
    return any(name.id == "run" for name in stored) or any((alias.asname or alias.name) == "run" for alias in imported)


def _is_guess(node: ast.AST) -> bool:
    """`hasattr`, or `getattr` with a default: the answer tells of this tier, not of the object."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    return node.func.id == "hasattr" or (node.func.id == "getattr" and len(node.args) == 3)


def _set_orders(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    """Where a set is iterated over so that its order may show."""
    sets = _names_of_sets(nodes)
    excused = {
        id(argument)
        for node in nodes
        if isinstance(node, ast.Call) and _called(node) in _ORDERLESS
        for argument in node.args
    }
    for node in nodes:
        if isinstance(node, ast.For) and _is_set(node.iter, sets):
            yield node
        elif isinstance(node, ast.ListComp | ast.DictComp | ast.GeneratorExp) and id(node) not in excused:
            if any(_is_set(generator.iter, sets) for generator in node.generators):
                yield node
        elif isinstance(node, ast.Call) and id(node) not in excused and _shows_order(node, sets):
            yield node
        elif isinstance(node, ast.Starred | ast.FormattedValue) and _is_set(node.value, sets):
            yield node.value


def _lazy_generators(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    used_up = {id(used) for node in nodes for used in _used_up(node)}
    yield from (node for node in nodes if isinstance(node, ast.GeneratorExp) and id(node) not in used_up)


def _used_up(node: ast.AST) -> Iterable[ast.expr]:
    """What a node iterates over to its end, or over and over until it breaks off."""
    if isinstance(node, ast.Call) and (_called(node) or _called_method(node)) in _CONSUMERS:
        return node.args
    if isinstance(node, ast.For | ast.comprehension):
        return (node.iter,)
    if isinstance(node, ast.Starred):
        return (node.value,)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple | ast.List):
        return (node.value,)
    return ()


def _shows_order(call: ast.Call, sets: set[str]) -> bool:
    if isinstance(call.func, ast.Attribute):
        if call.func.attr == "pop" and not call.args:
            return _is_set(call.func.value, sets)
        return call.func.attr == "join" and any(_is_set(argument, sets) for argument in call.args)
    return _called(call) in _ORDERED and any(_is_set(argument, sets) for argument in call.args)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _called_method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _names_of_sets(nodes: list[ast.AST]) -> set[str]:
    sets: set[str] = set()
    for _ in range(2):  # a set may be made of one that is named further down
        for node in nodes:
            if isinstance(node, ast.Assign) and _is_set(node.value, sets):
                sets |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value and _is_set(node.value, sets):
                sets |= {node.target.id} if isinstance(node.target, ast.Name) else set()
    return sets


def _is_set(node: ast.expr, sets: set[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Name):
        return node.id in sets
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return _is_set(node.left, sets) or _is_set(node.right, sets)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            return node.func.attr in _SET_METHODS
        return _called(node) in _SETS
    return False


def _refuse(line: int, column: int, construct: str, message: str) -> None:
    refusal = {"line": line, "column": column, "construct": construct, "message": message}
    write_frame(wall.CHANNEL, Kind.REFUSED, json.dumps([refusal]).encode())


if __name__ == "__main__":
    main()
