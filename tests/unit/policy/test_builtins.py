"""What a program finds without importing: the vetted builtins, `type`, `print`."""

import builtins
from typing import Any

import pytest

from sandbox.policy import guest_globals

ABSENT = (
    *("open", "input", "eval", "exec", "compile", "globals", "locals", "vars", "dir", "memoryview", "breakpoint"),
    *("exit", "quit", "help", "copyright", "credits", "license", "aiter", "anext", "ExceptionGroup"),
    *("BaseExceptionGroup", "__loader__", "__spec__", "__debug__"),
)
NAMES_OF_EXCEPTIONS = sorted(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException) and not issubclass(value, BaseExceptionGroup)
)


def test_dangerous_builtins_are_not_there() -> None:
    names = guest_globals(print)["__builtins__"]

    assert isinstance(names, dict)
    assert not set(ABSENT) & set(names)
    for name in ("type", "getattr", "setattr", "delattr", "hasattr", "__import__"):
        assert names[name] is not getattr(builtins, name)


@pytest.mark.parametrize("name", NAMES_OF_EXCEPTIONS)
def test_every_exception_can_be_named_and_caught(run_program: Any, name: str) -> None:
    arguments = {"UnicodeDecodeError": "'u', b'x', 0, 1, 'r'", "UnicodeEncodeError": "'u', 'x', 0, 1, 'r'"}
    arguments["UnicodeTranslateError"] = "'x', 0, 1, 'r'"
    raising = f"raise {name}({arguments.get(name, '')})"

    assert run_program.body(f"try:\n    {raising}\nexcept {name} as error:\n    return type(error) is {name}") is True


def test_the_rest_of_the_builtins_gives_what_python_gives(run_both: Any) -> None:
    assert run_both("""
def run():
    pairs = list(zip("abc", range(3)))
    words = iter(["x", "y"])
    counter = iter(lambda state=[0]: state.append(0) or len(state), 4)
    return [
        abs(-1), all([1, 0]), any([0, 1]), ascii("é"), bin(5), bool([]), bytearray(b"a"), bytes([65]),
        callable(len), chr(97),
        complex(1, 2), dict(pairs), divmod(7, 2), list(enumerate("ab", 1)), list(filter(None, [0, 1])), float("1.5"),
        format(3.14159, ".2f"), frozenset([1]), hash(1), hex(255), int("ff", 16), isinstance(1, (int, str)),
        issubclass(bool, int),
        list(map(lambda a, b: a + b, [1, 2], [3, 4])), len("abc"), max([1, 5], key=lambda x: -x), min(3, 2),
        next(words),
        next(iter([]), "none"), oct(8), ord("a"), pow(2, 10, 1000), list(range(5, 0, -2)), repr("a"),
        list(reversed([1, 2])),
        round(2.567, 1), set([1, 1]), slice(1, 2), sorted("bca", reverse=True), str(b"a", "ascii"), sum([[1], [2]],
        []), tuple([1]),
        list(counter), NotImplemented is None, ... is Ellipsis, object() == object(), isinstance(None, type(None)),
        id(pairs) == id(pairs),
    ]
""")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("type(1) is int, type('') == str, type(None).__name__", (True, True, "NoneType")),
        (
            "isinstance(int, type), isinstance(1, type), isinstance(A, type), issubclass(int, type)",
            (True, False, True, False),
        ),
        ("type(A()) is A, type(A) is type, type(type) is type", (True, True, True)),
        ("type(A())().x", 1),
        ("repr(type), type.__name__", ("<class 'type'>", "type")),
        (
            "type(run).__name__, type(len).__name__, type(A().f).__name__",
            ("function", "builtin_function_or_method", "method"),
        ),
        ("isinstance(run, type(run)), isinstance(len, type(run)), type(run) is type(A.f)", (True, False, True)),
        ("type(json).__name__", "module"),
        (
            "{type(1): 'int'}[int], [t.__name__ for t in (type([]), type({}), type(A))]",
            ("int", ["list", "dict", "type"]),
        ),
        ("{'a': type[A]}['a'] is not None", True),
    ],
)
def test_type_tells_the_class(run_program: Any, expression: str, expected: object) -> None:
    above = "import json\nclass A:\n    x = 1\n    def f(self): pass\n"

    assert run_program.body(f"return {expression}", above=above) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "type('X', (), {})",
        "type(int)('X', (), {})",
        "type(type(int))('X', (), {})",
        "(5).__class__.__class__('X', (), {})",
        "type[int]('X', (object,), {})",
        "type(1, 2)",
        "type()",
        "type(run)(1, {})",
        "type(len)()",
        "type(lambda: 0)(1)",
        "type(json)('os')",
        "type(A.f)()",
        "type(A().f)(len, 1)",
    ],
)
def test_type_makes_no_classes_functions_or_modules(run_program: Any, expression: str) -> None:
    with pytest.raises(TypeError):
        run_program.body(f"return {expression}", above="import json\nclass A:\n    def f(self): pass\n")


def test_print_is_one_log_line_per_call(run_program: Any) -> None:
    run_program.body("""
print("a", 1, None)
print()
print("x", "y", sep="-", end="")
print("no newline", end=" ", flush=True)
print("two\\nlines")
print(*[1, 2], **{"sep": ""})
show = print
[show(n) for n in range(2)]
class A:
    def __repr__(self): return "an A"
print(A())
""")

    assert run_program.logs == ["a 1 None", "", "x-y", "no newline ", "two\nlines", "12", "0", "1", "an A"]


def test_print_shows_names_as_the_author_wrote_them(run_program: Any) -> None:
    run_program.body("try:\n    A()._gone\nexcept AttributeError as error:\n    print(error)", above="class A: pass")

    assert run_program.logs == ["'A' object has no attribute '_gone'"]


def test_print_to_a_file_is_refused(run_program: Any) -> None:
    with pytest.raises(TypeError, match="log"):
        run_program.body("print('x', file=io.StringIO())", above="import io")


def test_every_run_has_names_of_its_own(run_program: Any) -> None:
    first, second = guest_globals(print), guest_globals(print)

    assert first is not second
    assert first["__builtins__"] is not second["__builtins__"]
    assert run_program("len = 5\nseen = []\ndef run():\n    return len, seen") == (5, [])
    assert run_program("def run():\n    return len('ab')") == 2


def test_functions_of_another_run_cannot_be_changed(run_program: Any) -> None:
    other = run_program("def run():\n    def inner(): pass\n    return inner")

    with pytest.raises(TypeError):
        run_program("def run(other):\n    other.note = 1", other)
