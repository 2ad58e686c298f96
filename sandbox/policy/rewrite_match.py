"""Rewrite of `match` to a chain of `if`: each pattern becomes one condition, captures are bound when it holds."""

# ruff: noqa: N802 - `ast.NodeVisitor` dispatches on the names of node classes

import ast
from collections.abc import Sequence

from sandbox.policy.rewrite_base import call_hook, load, placed, store
from sandbox.policy.rewrite_identifiers import IdentifierRewriting
from sandbox.policy.rewrite_names import is_special


class MatchRewriting(IdentifierRewriting):
    """`match` and every kind of pattern.

    Inside a condition captures go to temporaries, so that a pattern that fails half-way binds no name of the author.
    """

    def visit_Match(self, node: ast.Match) -> list[ast.stmt]:
        """Evaluate the subject once, then try the cases in order."""
        subject = self.new_temporary()
        chain: list[ast.stmt] = []
        tail = chain
        for case in node.cases:
            captures: dict[str, str] = {}
            conditions = self._test(case.pattern, subject, captures)
            conditions += [
                placed(_always(store(self.bind(name, case.pattern)), load(kept)), case.pattern)
                for name, kept in captures.items()
            ]
            if case.guard is not None:
                conditions.append(self.visit(case.guard))
            body = self.visit_statements(case.body)
            branch = ast.If(_all_of(conditions), body, [])
            tail.append(placed(branch, case.pattern))
            tail = branch.orelse
        return [placed(ast.Assign([store(subject)], self.visit(node.subject)), node), *chain]

    def _test(self, pattern: ast.pattern, subject: str, captures: dict[str, str]) -> list[ast.expr]:
        """Conditions, tried in order, that all hold when `subject` matches."""
        if isinstance(pattern, ast.MatchValue):
            conditions = [_compare(subject, ast.Eq(), self.visit(pattern.value))]
        elif isinstance(pattern, ast.MatchSingleton):
            conditions = [_compare(subject, ast.Is(), ast.Constant(pattern.value))]
        elif isinstance(pattern, ast.MatchAs):
            conditions = self._test(pattern.pattern, subject, captures) if pattern.pattern else []
            conditions += self._capture(pattern.name, subject, captures)
        elif isinstance(pattern, ast.MatchOr):
            conditions = [self._any_of(pattern, subject, captures)]
        elif isinstance(pattern, ast.MatchSequence):
            conditions = self._test_sequence(pattern, subject, captures)
        elif isinstance(pattern, ast.MatchMapping):
            conditions = self._test_mapping(pattern, subject, captures)
        elif isinstance(pattern, ast.MatchClass):
            conditions = self._test_class(pattern, subject, captures)
        else:
            conditions = []
        return [placed(condition, pattern) for condition in conditions]

    def _capture(self, name: str | None, subject: str, captures: dict[str, str]) -> list[ast.expr]:
        if name is None:
            return []
        kept = captures.setdefault(name, self.new_temporary())
        return [_always(store(kept), load(subject))]

    def _any_of(self, pattern: ast.MatchOr, subject: str, captures: dict[str, str]) -> ast.expr:
        alternatives = [_all_of(self._test(alternative, subject, captures)) for alternative in pattern.patterns]
        return ast.BoolOp(ast.Or(), alternatives)

    def _test_sequence(self, pattern: ast.MatchSequence, subject: str, captures: dict[str, str]) -> list[ast.expr]:
        star = next((i for i, part in enumerate(pattern.patterns) if isinstance(part, ast.MatchStar)), None)
        before = len(pattern.patterns) if star is None else star
        after = None if star is None else len(pattern.patterns) - star - 1
        hook = call_hook("match_sequence", load(subject), ast.Constant(before), ast.Constant(after))
        return self._test_parts(hook, pattern.patterns, captures)

    def _test_mapping(self, pattern: ast.MatchMapping, subject: str, captures: dict[str, str]) -> list[ast.expr]:
        keys = ast.Tuple(self.visit_expressions(pattern.keys), ast.Load())
        hook = call_hook("match_mapping", load(subject), keys, ast.Constant(pattern.rest is not None))
        parts: list[ast.pattern] = list(pattern.patterns)
        if pattern.rest is not None:
            parts.append(placed(ast.MatchStar(pattern.rest), pattern))
        return self._test_parts(hook, parts, captures)

    def _test_class(self, pattern: ast.MatchClass, subject: str, captures: dict[str, str]) -> list[ast.expr]:
        for name in filter(is_special, pattern.kwd_attrs):
            self.refuse(pattern, name, f"the attribute `{name}` cannot be matched: match an ordinary attribute")
        names = ast.Tuple([ast.Constant(self.spell(name, pattern)) for name in pattern.kwd_attrs], ast.Load())
        count = ast.Constant(len(pattern.patterns))
        hook = call_hook("match_class", load(subject), self.visit(pattern.cls), count, names)
        return self._test_parts(hook, [*pattern.patterns, *pattern.kwd_patterns], captures)

    def _test_parts(self, hook: ast.Call, patterns: Sequence[ast.pattern], captures: dict[str, str]) -> list[ast.expr]:
        """The hook gives None, or the values that the patterns inside are tried on."""
        values = self.new_temporary()
        found = ast.Compare(ast.NamedExpr(store(values), hook), [ast.IsNot()], [ast.Constant(None)])
        conditions: list[ast.expr] = [found]
        for index, pattern in enumerate(patterns):
            value = ast.Subscript(load(values), ast.Constant(index), ast.Load())
            if isinstance(pattern, ast.MatchStar):
                if pattern.name is not None:
                    kept = captures.setdefault(pattern.name, self.new_temporary())
                    conditions.append(_always(store(kept), value))
                continue
            if isinstance(pattern, ast.MatchAs) and pattern.name is None:
                continue
            part = self.new_temporary()
            conditions.append(_always(store(part), value))
            conditions += self._test(pattern, part, captures)
        return conditions


def _always(target: ast.Name, value: ast.expr) -> ast.expr:
    """Bind a name inside a condition, which goes on: a tuple of one value is true."""
    return ast.Tuple([ast.NamedExpr(target, value)], ast.Load())


def _compare(subject: str, operator: ast.cmpop, value: ast.expr) -> ast.expr:
    return ast.Compare(load(subject), [operator], [value])


def _all_of(conditions: list[ast.expr]) -> ast.expr:
    if not conditions:
        return ast.Constant(True)
    return conditions[0] if len(conditions) == 1 else ast.BoolOp(ast.And(), conditions)
