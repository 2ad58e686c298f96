"""Evaluate arithmetic with a hand-written tokenizer and recursive-descent parser."""

import re
from collections import namedtuple

Token = namedtuple("Token", "kind text position")
TOKEN_RE = re.compile(r"(?P<space>\s+)|(?P<num>\d+\.?\d*)|(?P<op>[-+*/()])|(?P<bad>.)")


def tokenize(text: str) -> list[Token]:
    tokens: list[Token] = []
    for m in TOKEN_RE.finditer(text):
        kind = m.lastgroup
        if kind == "bad":
            raise SyntaxError(f"unexpected {m.group()!r} at {m.start()}")
        if kind != "space":
            tokens.append(Token(kind, m.group(), m.start()))
    return tokens + [Token("end", "", len(text))]


class Parser:
    def __init__(self, text):
        self._tokens = tokenize(text)
        self._i = 0

    def _next_is(self, *texts):
        if (text := self._tokens[self._i].text) in texts:
            self._i += 1
            return text
        return None

    def parse(self):
        value = self._sum()
        kind, text, position = self._tokens[self._i]
        if kind != "end":
            raise SyntaxError(f"unexpected {text!r} at {position}")
        return value

    def _sum(self):
        value = self._product()
        while op := self._next_is("+", "-"):
            value = value + self._product() if op == "+" else value - self._product()
        return value

    def _product(self):
        value = self._unary()
        while op := self._next_is("*", "/"):
            value = value * self._unary() if op == "*" else value / self._unary()
        return value

    def _unary(self):
        return -self._unary() if self._next_is("-") else self._atom()

    def _atom(self):
        if self._next_is("("):
            value = self._sum()
            if self._next_is(")"):
                return value
            raise SyntaxError("missing ')'")
        kind, text, position = self._tokens[self._i]
        if kind != "num":
            raise SyntaxError(f"expected a number at {position}")
        self._i += 1
        return float(text)


def run(inputs):
    results = {}
    for expr in inputs["expressions"]:
        try:
            results[expr] = round(Parser(expr).parse(), 6)
        except (SyntaxError, ZeroDivisionError) as e:
            results[expr] = f"{type(e).__name__}: {e}"
    return results

# inputs: {"expressions": ["1 + 2 * 3", "(1+2)*3", "-(2 + -3) / 4", "7 - 2 - 1.5", "1 / 0", "2 +", "3 $ 4", "(1", "1 2"]}
# expect: {"1 + 2 * 3": 7.0, "(1+2)*3": 9.0, "-(2 + -3) / 4": 0.25, "7 - 2 - 1.5": 3.5, "1 / 0": "ZeroDivisionError: float division by zero", "2 +": "SyntaxError: expected a number at 3", "3 $ 4": "SyntaxError: unexpected '$' at 2", "(1": "SyntaxError: missing ')'", "1 2": "SyntaxError: unexpected '2' at 2"}
