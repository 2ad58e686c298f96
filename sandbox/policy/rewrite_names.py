"""How the author's names are spelled in a compiled program, and back.

The stock policy refuses every name that starts with an underscore. Private and special names are therefore spelled with
a reserved prefix in the compiled program; sources that use the prefix themselves are refused.
"""

import re

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

PREFIX = "gbx_"
PRIVATE = "gbx_p"  # `_x` -> `gbx_p_x`
SPECIAL = "gbx_s"  # `__len__` -> `gbx_s__len__`
TEMPORARY = "gbx_t"  # a value that the rewriter evaluates once
HOOK = "gbx_h_"  # what rewritten code calls at run time
ANNOTATIONS = "gbx_annotations"  # a class body's annotated names, in order, with the annotation's text

_ARITHMETIC = "add sub mul matmul truediv floordiv mod pow lshift rshift and or xor divmod"

# Methods that a class may define and that may be reached through `super()`, a class or an instance. Left out on
# purpose: what intercepts attribute access (`__getattr__`, `__setattr__`, `__get__`, ...), what builds or checks
# classes (`__new__`, `__init_subclass__`, `__class_getitem__`, `__instancecheck__`, `__set_name__`, ...), what runs at
# a moment nobody chose (`__del__`), and what rebuilds objects from their parts (`__reduce__`, `__setstate__`, ...).
_METHODS = """
    init post_init repr str bytes format hash bool call copy deepcopy enter exit eq ne lt le gt ge
    len iter next reversed contains getitem setitem delitem missing
    neg pos abs invert int float complex index round trunc floor ceil
"""
SPECIAL_METHODS = frozenset(
    f"__{name}__"
    for name in (
        *_METHODS.split(),
        *(f"{side}{name}" for name in _ARITHMETIC.split() for side in ("", "r", "i") if side + name != "idivmod"),
    )
)

# Special names that a class body may also bind to a value.
CLASS_VARIABLES = frozenset({"__slots__", "__match_args__", "__doc__"})

# Special attributes that may be read: text, the members of an enumeration, the exception that another was raised from.
READABLE = frozenset({"__name__", "__qualname__", "__doc__", "__members__", "__cause__"})

# Public names of the library that start with an underscore.
TUPLE_NAMES = frozenset({"_replace", "_asdict", "_make", "_fields", "_field_defaults"})
ENUM_NAMES = frozenset({"_value_", "_name_", "_missing_"})

_REWRITTEN = re.compile(rf"{PREFIX}[ps](?=_)|{PRIVATE}(?=printed\b)")


def is_special(name: str) -> bool:
    """Whether the name is of the form `__x__`."""
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def private_name(name: str, class_name: str = "") -> str:
    """The compiled spelling of `_x` or `__x`; in a class, `__x` is first made the class's own as Python does it."""
    owner = class_name.lstrip("_")
    if owner and name.startswith("__") and not name.endswith("__"):
        name = f"_{owner}{name}"
    return PRIVATE + name


def special_name(name: str) -> str:
    """The compiled spelling of `__x__`."""
    return SPECIAL + name


def author_name(name: str) -> str:
    """Undo the rewriter's spelling in a name, or everywhere in a message."""
    return _REWRITTEN.sub("", name) if PREFIX in name else name


# Names whose meaning depends on the object that has them, as the compiled program spells them. Every read of one goes
# through `guards.guarded_getattr`, reads of other names are Python's own.
CHECKED_NAMES = (
    # `format` walks attributes by itself; `mro` leads from a class to its bases; what exceptions keep under `obj` and
    # `path` may be ours.
    frozenset({"format", "format_map", "mro", "obj", "path"})
    | INSPECT_ATTRIBUTES
    | {special_name(name) for name in SPECIAL_METHODS | READABLE | {"__setattr__"}}
    | {private_name(name) for name in TUPLE_NAMES | ENUM_NAMES}
)
