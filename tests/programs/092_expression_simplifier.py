"""Simplify and differentiate symbolic expressions with patterns and a visitor."""

from collections import namedtuple

Num = namedtuple("Num", "value")
Var = namedtuple("Var", "name")
Add = namedtuple("Add", "left right")
Mul = namedtuple("Mul", "left right")


def simplify(e):
    match e:
        case Add(l, r) | Mul(l, r):
            e = type(e)(simplify(l), simplify(r))
    match e:
        case Add(Num(a), Num(b)):
            return Num(a + b)
        case Mul(Num(a), Num(b)):
            return Num(a * b)
        case Add(Num(0), x) | Add(x, Num(0)) | Mul(Num(1), x) | Mul(x, Num(1)):
            return x
        case Mul(Num(0), _) | Mul(_, Num(0)):
            return Num(0)
        case Add(x, y) if x == y:
            return simplify(Mul(Num(2), x))
        case Mul(x, Num() as n):
            return simplify(Mul(n, x))
        case Mul(Num(a), Mul(Num(b), x)):
            return Mul(Num(a * b), x)
    return e


class Visitor:
    def visit(self, node):
        return getattr(self, "visit_" + type(node).__name__.lower())(node)


class Derivative(Visitor):
    def __init__(self, name):
        self._name = name

    visit_num = lambda self, node: Num(0)
    def visit_var(self, node):
        return Num(int(node.name == self._name))

    def visit_add(self, node):
        return Add(*map(self.visit, node))

    def visit_mul(self, node):
        return Add(Mul(self.visit(node.left), node.right), Mul(node.left, self.visit(node.right)))


class Printer(Visitor):
    visit_num = staticmethod(lambda node: f"{node.value:g}")
    visit_var = staticmethod(lambda node: node.name)
    def visit_add(self, node):
        return f"({self.visit(node.left)} + {self.visit(node.right)})"

    def visit_mul(self, node):
        return f"{self.visit(node.left)}*{self.visit(node.right)}"


def build(raw):
    match raw:
        case [("+" | "*") as op, first, *rest]:
            kind = Add if op == "+" else Mul
            return kind(build(first), build([op, *rest])) if rest else build(first)
        case int() | float():
            return Num(raw)
    return Var(raw)


def run(inputs):
    show, rows = Printer().visit, []
    for tree in map(build, inputs["expressions"]):
        rows.append([show(tree), show(simplify(tree)), show(simplify(Derivative("x").visit(tree)))])
    return {"rows": rows}

# inputs: {"expressions": [["+", 0, ["*", 1, "x"]], ["*", "x", "x"], ["+", ["*", 3, "x", 2], 4, 5], ["*", ["+", "x", "y"], 0], ["+", "y", "y"]]}
# expect: {"rows": [["(0 + 1*x)", "x", "1"], ["x*x", "x*x", "2*x"], ["(3*x*2 + (4 + 5))", "(6*x + 9)", "6"], ["(x + y)*0", "0", "0"], ["(y + y)", "2*y", "0"]]}
