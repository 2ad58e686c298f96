"""Programs as agents are written, drawn from a grammar; small ones first, so that a difference shrinks to its cause."""

from hypothesis import strategies as st

WORDS = ["", "a", "Bob", "hello world", " x ", "1,2,3", "ünïcode", "2024-02-29", "A-b_C", "0", "-7", "3.50", "%", "{}"]
NUMBERS = [0, 1, -1, 2, 3, 7, 10, -5, 100, 12_345, 2**31, 10**20, 0.5, -0.5, 1.5, 2.5, 0.1, 2.675, 1e-7, 1e16, 1e22]

texts = st.sampled_from(WORDS).map(repr)
numbers = st.sampled_from(NUMBERS).map(repr)
integers = st.integers(-20, 20).map(repr)
names = st.sampled_from(["items", "words", "table", "total"])

# Each takes one place for a value: what agents do with text, numbers, lists and dicts.
ON_TEXT = [
    "{}.upper()", "{}.title()", "{}.strip()", "{}.split()", "{}.split(',')", "{}.replace('a', 'o')", "{}[::-1]",
    "{}[:3]", "{}.find('l')", "{}.count('l')", "{}.startswith('h')", "{}.isdigit()", "{}.zfill(6)",
    "{}.ljust(8, '.')", "{}.center(9, '*')", "{}.partition('-')", "{}.splitlines()", "{}.encode().hex()", "len({})",
    "{} * 2", "ord(({} + 'z')[0])", "'-'.join({})", "sorted({})", "list(enumerate({}))", "re.findall('[a-z]+', {})",
    "re.sub('[^a-z]', '', {})", "re.split('[ ,-]', {})", "json.dumps({})", "repr({})",
    "hashlib.sha256({}.encode()).hexdigest()[:8]", "{}.swapcase()", "{}.capitalize()", "{}.lower().islower()",
    "{}.rsplit(' ', 1)", "{}.removeprefix('h')", "[c for c in {} if c.isalpha()]", "{{c: {0}.count(c) for c in {0}}}",
    "Counter({}).most_common(2)", "{} in 'hello'", "{} < 'b'", "'%s!' % {}", "{}.casefold()",
]  # fmt: skip
ON_NUMBER = [
    "{} + 1", "{} * 3", "{} - 0.1", "{} / 3", "{} // 2", "{} % 3", "-({})", "abs({})", "round({})", "round({}, 1)",
    "round({}, 2)", "int({})", "float({})", "str({})", "f'{{{}:.2f}}'", "f'{{{}:,}}'", "f'{{{}:>12}}'", "f'{{{}:e}}'",
    "f'{{{}:g}}'", "f'{{{}:.0%}}'", "f'{{{}:+.1f}}'", "math.floor({})", "math.ceil({})", "math.sqrt(abs({}))",
    "divmod({}, 4)", "({}) ** 2", "max({}, 1)", "min({}, 1)", "bool({})", "{} == 1", "{} > 0.5",
    "math.isclose({}, 1)", "math.trunc({})", "json.dumps({})", "'%d' % {}", "'%.3f' % {}", "'%5.1f|' % {}",
    "repr({})", "sum([{}, 0.1, 0.2])", "math.log10(abs({}) + 1)", "math.sin({})", "math.exp(-abs({}))",
    "timedelta(days=int({}) % 99).total_seconds()", "str(Decimal(str({})) + 1)",
]  # fmt: skip
ON_LIST = [
    "sorted({})", "sum({})", "max({}, default=None)", "min({}, default=None)", "len({})", "{}[::-1]", "{}[1:]",
    "{} + [1]", "list(map(str, {}))", "[x * 2 for x in {}]", "[x for x in {} if x > 0]", "any(x > 3 for x in {})",
    "all(x > 0 for x in {})", "dict(enumerate({}))", "list(zip({}, 'abc'))", "sorted({}, reverse=True)",
    "sorted({}, key=lambda x: (x % 3, -x))", "json.dumps({})", "str({})", "{}.count(1)", "list(reversed({}))",
    "sorted(set({}))", "len(set({}))", "{} == [1]", "{} < [1, 2]", "{{x: x * x for x in {}}}",
    "functools.reduce(lambda a, b: a * 2 + b, {}, 0)", "list(itertools.accumulate({}))",
    "list(itertools.pairwise({}))", "[(i, x) for i, x in enumerate({}, 1)]", "tuple({})", "sum({}) / max(len({}), 1)",
    "list(itertools.chain({}, [9]))", "1 in {}", "' '.join(str(x) for x in {})", "[*{}, *{}]",
    "list(itertools.combinations({}, 2))[:4]",
]  # fmt: skip
STATEMENTS = [
    "{name} = {value}",
    "for one in {list}:\n    {name} = [{name}, one][-1]",
    "if {number} > {integer}:\n    {name} = {value}\nelse:\n    {name} = {text}",
    "try:\n    {name} = {number} / {integer}\nexcept ZeroDivisionError:\n    {name} = 'none'",
    "try:\n    {name} = int({text})\nexcept ValueError as e:\n    {name} = str(e)",
    "try:\n    {name} = [1, 2][{integer}]\nexcept IndexError as e:\n    {name} = str(e)",
    "try:\n    {name} = {{'a': 1}}[{text}]\nexcept KeyError:\n    {name} = 'missing'",
    "kept = {list}\nkept.append({integer})\nkept.sort()\n{name} = kept",
    "box = {{}}\nfor one in {list}:\n    box.setdefault(str(one % 3), []).append(one)\n{name} = box",
    "n = 0\nwhile n * n < abs({integer}):\n    n += 1\n{name} = n",
    "a, *b = {list} + [0]\n{name} = [a, b]",
    "def helper(x, y={integer}, *rest, **more):\n    return [x, y, list(rest), more]\n"
    "{name} = helper({integer}, z={text})",
    "match {integer}:\n    case 0:\n        {name} = 'none'\n    case 1 | 2:\n        {name} = 'few'\n"
    "    case _:\n        {name} = 'many'",
    "point = Point({integer}, {integer})\n{name} = [point.x, point.total(), point == Point(1, 2), str(point)]",
    "groups = defaultdict(int)\nfor one in {list}:\n    groups[str(one % 2)] += one\n{name} = dict(groups)",
    "day = date(2024, 2, 29) + timedelta(days={integer})\n"
    "{name} = [day.isoformat(), day.weekday(), day.strftime('%d %b %Y')]",
    "random.seed({integer})\n{name} = [random.random(), random.randint(1, 100), random.choice('abcdef')]",
    "{name} = {name} if {integer} else {value}",
]  # fmt: skip
HEAD = """import functools, hashlib, itertools, json, math, random, re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
@dataclass
class Point:
    x: int
    y: int = 0
    def total(self):
        return self.x + self.y
def run(inputs):
    items, words, table, total = [], '', {}, 0
"""


def lists() -> st.SearchStrategy[str]:
    return st.lists(st.integers(-9, 9), max_size=5).map(repr)


@st.composite
def values(draw: st.DrawFn) -> str:
    template, inner = draw(
        st.one_of(
            st.tuples(st.sampled_from(ON_TEXT), texts),
            st.tuples(st.sampled_from(ON_NUMBER), numbers),
            st.tuples(st.sampled_from(ON_LIST), lists()),
        )
    )
    return template.replace("{}", inner) if "{{" not in template else template.format(inner, inner)


@st.composite
def statements(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(STATEMENTS)).format(
        name=draw(names),
        value=draw(values()),
        text=draw(texts),
        number=draw(numbers),
        integer=draw(integers),
        list=draw(lists()),
    )


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A program whose `run` answers with what its statements left in four names."""
    body = "\n".join(draw(st.lists(statements(), min_size=1, max_size=5)))
    indented = "".join(f"    {line}\n" for line in body.split("\n"))
    return f"{HEAD}{indented}    return [items, words, table, total]\n"
