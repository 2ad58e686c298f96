"""Replaced library names do what the originals do, and not what the originals can be made to do."""

import contextlib
import dataclasses
import enum
import os
import string
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace as OriginalNamespace
from typing import Any

import pytest

from sandbox.policy import facades
from sandbox.policy.guards import mark_program_class
from sandbox.policy.modules import MODULES
from sandbox.policy.shims import randomness


def imported(module: str) -> Any:
    """The facade, of which mypy knows no names."""
    return facades.import_facade(module, fromlist=MODULES[module][:1])


contexts = imported("contextlib")
abc, copy, functools, operator = imported("abc"), imported("copy"), imported("functools"), imported("operator")
logging, pprint, random, secrets = imported("logging"), imported("pprint"), imported("random"), imported("secrets")
types, typing, uuid, datetime = imported("types"), imported("typing"), imported("uuid"), imported("datetime")
enums, dataclass_names, zoneinfo = imported("enum"), imported("dataclasses"), imported("zoneinfo")
Formatter = imported("string").Formatter


def hijack(target: Any) -> tuple[Any, tuple[()]]:
    """What a hostile `__reduce_ex__` answers."""
    raise AssertionError("the library called into the program")


@pytest.fixture
def log() -> Iterator[list[str]]:
    """The lines that library code prints."""
    lines: list[str] = []
    facades.direct_output(lines.append)
    yield lines
    facades.direct_output(lambda _: None)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "__class__",
            "__globals__",
            "real.__class__",
            "__class__.real",
            "gi_frame",
            "real.f_globals",
            "tb_frame.f_back",
        ),
        *("f_builtins", "ag_frame", "cr_code", "__reduce_ex__", "gbx_program", ""),
    ],
)
def test_attribute_getters_refuse_names_that_the_language_refuses(name: str) -> None:
    with pytest.raises(AttributeError):
        operator.attrgetter(name)(3)
    with pytest.raises(AttributeError):
        operator.methodcaller(name)(3)


def test_attribute_getters_take_plain_text_only() -> None:
    class Shifty(str):
        def startswith(self, *_: Any) -> bool:
            return False

    for make in (operator.attrgetter, operator.methodcaller):
        with pytest.raises(TypeError):
            make(Shifty("__class__"))
    with pytest.raises(TypeError):
        operator.attrgetter()


def test_attribute_getters_hand_out_only_the_guarded_format() -> None:
    with pytest.raises(AttributeError, match="__class__"):
        operator.methodcaller("format", 1)("{0.__class__}")
    with pytest.raises(AttributeError, match="__class__"):
        operator.attrgetter("format")("{0.__class__}")(1)
    with pytest.raises(AttributeError, match="__class__"):
        operator.attrgetter("Text.format")(typing)("{0.__class__}", 1)

    assert operator.methodcaller("format", 1)("<{0.real}>") == "<1>"
    assert operator.attrgetter("format", "isdigit")("<{}>")[0](1) == "<1>"


@pytest.mark.parametrize(
    ("template", "args", "kwargs"),
    [
        ("{} {}", (1, 2), {}),
        ("{1} {0!r:>{width}}", ("a", 2), {"width": 9}),
        ("{a.real} {b[0]} {b[0].imag:02d}", (), {"a": 1, "b": [2]}),
        ("{{}} {x!a} {x!s:.1}", (), {"x": "é!"}),
        ("", (), {}),
        ("{:{}} {}", (1, 5, 2), {}),
    ],
)
def test_formatter_formats_like_the_original(template: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    assert Formatter().format(template, *args, **kwargs) == string.Formatter().format(template, *args, **kwargs)


@pytest.mark.parametrize("template", ["{0} {}", "{} {0}", "{", "}", "{0!z}", "{0:{0:{0:{0}}}}", "{1}", "{nobody}"])
def test_formatter_fails_like_the_original(template: str) -> None:
    with pytest.raises((ValueError, LookupError)) as expected:
        string.Formatter().format(template, 1)
    with pytest.raises(expected.type):
        Formatter().format(template, 1)


@pytest.mark.parametrize(
    "template", ["{0.__class__}", "{0.real.__class__}", "{0[0].__init__.__globals__}", "{:{0.__class__}}"]
)
def test_formatter_does_not_reach_private_attributes(template: str) -> None:
    with pytest.raises((AttributeError, ValueError)):
        Formatter().format(template, [1])
    with pytest.raises(AttributeError):
        Formatter().get_field("0.__class__", (1,), {})


def test_formatter_can_be_extended() -> None:
    class Shouting(Formatter):  # type: ignore[misc, valid-type]  # a facade's names are known at run time only
        def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
            return str(super().get_value(key, args, kwargs)).upper()

        def check_unused_args(self, used_args: Any, args: Any, kwargs: Any) -> None:
            if len(used_args) < len(args):
                raise ValueError("unused")

    assert Shouting().format("{} {a}", "x", a="y") == "X Y"
    with pytest.raises(ValueError, match="unused"):
        Shouting().format("{0}", 1, 2)


def test_wrappers_do_not_take_attribute_names() -> None:
    def mine() -> None: ...

    with pytest.raises(TypeError):
        functools.update_wrapper(mine, dataclasses.dataclass, updated=("__globals__",))
    with pytest.raises(TypeError):
        functools.wraps(mine, assigned=("__code__",))


def test_wrappers_copy_what_names_a_function_and_nothing_else() -> None:
    def original() -> None:
        """Says what it does."""

    vars(original).update(tag=1, __secret=2)

    wrapper = functools.wraps(original)(lambda: None)

    assert (wrapper.__name__, wrapper.__doc__) == ("original", "Says what it does.")
    assert vars(wrapper) == {"tag": 1}


def test_registered_annotations_are_never_evaluated() -> None:
    def on_text(x: Any) -> None: ...

    on_text.__annotations__ = {"x": "hijack(1)"}
    show = functools.singledispatch(lambda x: "other")

    class Shown:
        method = functools.singledispatchmethod(lambda self, x: "other")

    for register in (show.register, vars(Shown)["method"].register, Shown().method.register):
        with pytest.raises(TypeError, match="write the class"):
            register(on_text)


def test_a_cached_property_cannot_be_made_to_store_under_another_name() -> None:
    with pytest.raises(TypeError, match="cannot be subclassed"):
        type("Mine", (functools.cached_property,), {})
    with pytest.raises(AttributeError):
        functools.cached_property(len).attrname = "__reduce_ex__"


def test_no_instance_attribute_tells_copy_what_to_call() -> None:
    with pytest.raises(AttributeError):
        types.SimpleNamespace(__reduce_ex__=hijack)
    with pytest.raises(AssertionError):  # the original does as it is told
        copy.copy(OriginalNamespace(__reduce_ex__=hijack))


def test_namespaces_behave_like_the_original() -> None:
    space, original = types.SimpleNamespace(a=1, b="x"), OriginalNamespace(a=1, b="x")
    space.c = original.c = [2]

    assert repr(space) == repr(original)
    assert space == types.SimpleNamespace(a=1, b="x", c=[2])
    assert space != original
    assert copy.deepcopy(space) == space
    with pytest.raises(TypeError):
        hash(space)


def make_enumerations(source: Any) -> list[Any]:
    """The same enumerations from the library and from its replacement."""

    class Level(source.IntEnum):  # type: ignore[misc]  # made from whichever is tested
        LOW = 1
        HIGH = source.auto()

    class Word(source.StrEnum):  # type: ignore[misc]
        ONE = source.auto()

    class Perm(source.Flag):  # type: ignore[misc]
        R = source.auto()
        W = source.auto()

    class Bits(source.IntFlag):  # type: ignore[misc]
        A = source.auto()
        B = source.auto()

    class Plain(source.Enum):  # type: ignore[misc]
        A = "a"
        B = (1, 2)

    return [Level, Word, Perm, Bits, Plain, source.Enum("Made", "X Y"), source.IntEnum("More", [("X", 5)])]


def test_enumerations_behave_like_the_original() -> None:
    def describe(member: Any) -> tuple[Any, ...]:
        return (repr(member), str(member), f"{member}", member.name, member.value, hash(member) is not None)

    mine, originals = make_enumerations(enums), make_enumerations(enum)

    for kind, original in zip(mine, originals, strict=True):
        assert [describe(member) for member in kind] == [describe(member) for member in original]
        assert all(isinstance(member, enums.Enum) for member in kind)
    level, _, perm, bits, *_ = mine
    assert (f"{level.HIGH:03d}", repr(perm.R | perm.W), str(~perm.R)) == ("002", "<Perm.R|W: 3>", "Perm.W")
    assert (bits.A | 8, perm(0), copy.deepcopy(level.LOW)) == (9, perm(0), level.LOW)
    with pytest.raises(ValueError, match="invalid value 8"):
        perm(8)


@pytest.mark.parametrize(
    "names",
    [
        {"__reduce_ex__": hijack, "A": 1},
        [("__reduce_ex__", hijack)],
        "A __reduce_ex__",
        ["A", "_missing_"],
        iter([("__annotations__", {"x": "hijack(1)"})]),
    ],
)
def test_the_functional_form_of_enumerations_takes_public_names_only(names: Any) -> None:
    with pytest.raises(ValueError, match="cannot start with an underscore"):
        enums.Enum("E", names)


def test_exit_callbacks_get_no_traceback() -> None:
    told: list[tuple[Any, ...]] = []

    @contextlib.contextmanager
    def manager() -> Iterator[None]:
        try:
            yield
        except KeyError as error:
            told.append((KeyError, error, None))
            raise

    def swallow(*details: Any) -> bool:
        told.append(details)
        return True

    with contexts.ExitStack() as stack:
        stack.push(swallow)
        super(contexts.ExitStack, stack).push(lambda *details: told.append(details))
        stack.callback(told.append, ())
        stack.enter_context(manager())
        raise KeyError("x")

    kept = [(kind, str(error), traceback) for kind, error, traceback in filter(None, told)]
    assert kept == [(KeyError, "'x'", None)] * 3
    assert () in told


def test_abstract_classes_need_a_class_statement() -> None:
    with pytest.raises(TypeError, match="class Name"):
        abc.ABCMeta("X", (), {"__reduce_ex__": hijack})

    assert isinstance(abc.ABC, abc.ABCMeta)
    assert not isinstance(int, abc.ABCMeta)


def test_no_alias_gives_type_itself_away() -> None:
    assert typing.get_origin(typing.Type[int]) is None
    assert typing.get_origin(typing.Type) is None
    assert typing.get_origin(typing.List[int]) is list


def make_program_class(annotations: dict[Any, str], **members: Any) -> Any:
    """A class as the compiler's hook makes it."""
    cls = type("Made", (), {"__annotations__": annotations, "__module__": "__main__", **members})
    mark_program_class(cls)
    return cls


@pytest.mark.parametrize("name", ["x, y=hijack(1)", "x\n", "", "if", "__class__", "_x", "1x"])
def test_dataclass_fields_are_plain_identifiers(name: str) -> None:
    class Plausible(str):
        def isidentifier(self) -> bool:
            return True

        def startswith(self, *_: Any) -> bool:
            return False

    for hostile in (name, Plausible(name)):
        attempts: list[Callable[[], Any]] = [
            lambda hostile=hostile: dataclass_names.dataclass(make_program_class({hostile: "int"})),  # type: ignore[misc]
            lambda hostile=hostile: dataclass_names.make_dataclass("M", [hostile]),  # type: ignore[misc]
            lambda hostile=hostile: dataclass_names.make_dataclass("M", [(hostile, int)]),  # type: ignore[misc]
            lambda hostile=hostile: dataclass_names.make_dataclass("M", [], namespace={hostile: 1}),  # type: ignore[misc]
            lambda hostile=hostile: dataclass_names.make_dataclass(hostile, []),  # type: ignore[misc]
        ]
        for attempt in attempts:
            with pytest.raises(TypeError, match="Field names"):
                attempt()


def test_dataclass_leaves_library_classes_alone() -> None:
    with pytest.raises(TypeError, match="of the program"):
        dataclass_names.dataclass(imported("json").JSONEncoder)


def test_dataclass_understands_annotations_that_mean_more_than_a_field() -> None:
    cls = make_program_class(
        {
            "a": "int",
            "b": "List[str]",
            "kind": "typing.ClassVar[int]",
            "seed": "InitVar[int]",
            "rest": "dataclasses.KW_ONLY",
            "gbx_p_hidden": "int",
            "classvar_like": "ClassVariety",
        },
        kind=3,
        gbx_p_hidden=7,
        classvar_like=8,
    )
    made = dataclass_names.dataclass(order=True, frozen=True)(cls)

    item = made(1, ["x"], 5, gbx_p_hidden=2)

    assert repr(item) == "Made(a=1, b=['x'], _hidden=2, classvar_like=8)"
    assert dataclass_names.asdict(item) == {"a": 1, "b": ["x"], "_hidden": 2, "classvar_like": 8}
    assert [(field.name, field.type) for field in dataclass_names.fields(made)][:2] == [("a", int), ("b", object)]
    with pytest.raises(TypeError):
        made(1, ["x"], 5, 2)


def test_unseeded_generators_follow_the_seed_of_the_run() -> None:
    def draw() -> list[float]:
        random.seed(7)
        generator = random.Random()
        first = generator.random()
        generator.seed()
        random.seed()
        return [first, generator.random(), random.random()]

    assert draw() == draw()
    assert random.Random(5).random() == random.Random(5).random()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: uuid.uuid4(),
        lambda: secrets.token_hex(),
        lambda: secrets.choice([1]),
        lambda: secrets.randbelow(9),
        lambda: random.SystemRandom().random(),
        lambda: random.SystemRandom().shuffle([1, 2, 3]),
        lambda: secrets.SystemRandom().getrandbits(5),
    ],
)
def test_use_of_the_kernels_randomness_is_remembered(draw: Callable[[], object], monkeypatch: Any) -> None:
    monkeypatch.setattr(randomness, "_used", False)
    random.Random().random()
    uuid.uuid5(uuid.NAMESPACE_DNS, "a")
    assert not facades.randomness_used()

    draw()

    assert facades.randomness_used()


def test_system_randomness_has_the_size_that_was_asked_for() -> None:
    system = random.SystemRandom()

    assert all(0 <= system.random() < 1 for _ in range(100))
    assert {system.getrandbits(1) for _ in range(100)} == {0, 1}
    assert max(system.getrandbits(9) for _ in range(300)) < 2**9
    assert (len(system.randbytes(5)), len(secrets.token_bytes(5)), len(secrets.token_hex(5))) == (5, 5, 10)
    with pytest.raises(ValueError, match="negative"):
        system.getrandbits(-1)
    with pytest.raises(ValueError, match="positive"):
        secrets.randbelow(0)


def test_logging_writes_lines_of_the_runs_log(log: list[str], monkeypatch: Any) -> None:
    monkeypatch.setattr(logging.getLogger(), "level", logging.INFO)
    logger = logging.getLogger("app.part")

    logger.debug("hidden")
    logger.info("%s of %d", "one", 2)
    logging.getLogger("app").setLevel("DEBUG")
    logger.debug("%(a)s", {"a": 1})
    logger.warning("wrong %d", "text")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logger.exception("caught")

    assert log == [
        "INFO app.part: one of 2",
        "DEBUG app.part: 1",
        "WARNING app.part: wrong %d ('text',)",
        "ERROR app.part: caught (ZeroDivisionError: division by zero)",
    ]


def test_pretty_printing_writes_to_the_log(log: list[str]) -> None:
    pprint.pprint({"b": 1, "a": 2})
    pprint.pp({"b": 1, "a": 2})
    pprint.PrettyPrinter(width=10).pprint({"long": "x" * 9, "b": 1})

    assert log == ["{'a': 2, 'b': 1}", "{'b': 1, 'a': 2}", "{'b': 1,\n 'long': 'xxxxxxxxx'}"]


def test_zones_are_the_systems_zones() -> None:
    facades.preload()
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")

    assert zoneinfo.ZoneInfo("Europe/Berlin") is berlin
    assert datetime.datetime(2024, 7, 1, tzinfo=berlin).isoformat() == "2024-07-01T00:00:00+02:00"
    assert copy.deepcopy(datetime.datetime(2024, 7, 1, tzinfo=berlin)).tzinfo is berlin
    assert repr(berlin) == "zoneinfo.ZoneInfo(key='Europe/Berlin')"
    assert len(zoneinfo.available_timezones()) > 400
    for hostile in ("No/Where", "../../etc/passwd", "/etc/localtime", ""):
        with pytest.raises(zoneinfo.ZoneInfoNotFoundError, match="No time zone found"):
            zoneinfo.ZoneInfo(hostile)
    with pytest.raises(NotImplementedError):
        zoneinfo.ZoneInfo.from_file(None)


def test_a_machine_without_time_zone_data_says_so() -> None:
    source = """
from sandbox.policy import facades
facades.preload()
zoneinfo = facades.import_facade("zoneinfo")
try:
    zoneinfo.ZoneInfo("UTC")
except zoneinfo.ZoneInfoNotFoundError as error:
    print(error)
"""

    done = subprocess.run(
        [sys.executable, "-c", source],
        env={"PYTHONTZPATH": "", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert "this machine has no time zone data" in done.stdout


def test_the_recursion_limit_stays_below_what_the_stack_bears() -> None:
    interpreter = imported("sys")
    before = interpreter.getrecursionlimit()
    try:
        interpreter.setrecursionlimit(10**9)
        assert interpreter.getrecursionlimit() == 10_000
    finally:
        interpreter.setrecursionlimit(before)
    with pytest.raises(SystemExit):
        interpreter.exit(1)
