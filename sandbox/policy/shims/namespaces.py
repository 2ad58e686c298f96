"""`types.SimpleNamespace` without special names."""

from typing import Any

from sandbox.policy.guards import mark_shared_class
from sandbox.policy.rewrite_names import author_name, is_special, private_name

__all__ = ["SimpleNamespace"]


class SimpleNamespace:
    """An object with the attributes that it is made with.

    Not the library's own: with a keyword such as `__reduce_ex__` that one makes an object that tells `copy.copy` which
    function to call and which attributes of which object to set.
    """

    def __init__(self, /, **kwargs: Any) -> None:
        for name, value in kwargs.items():
            if is_special(name):
                raise AttributeError(f"the attribute '{name}' cannot be set")
            self.__dict__[private_name(name) if name.startswith("_") and name != "_" else name] = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SimpleNamespace):
            return NotImplemented
        return self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # equal by content, which can change

    def __repr__(self) -> str:
        members = ", ".join(f"{author_name(name)}={value!r}" for name, value in self.__dict__.items())
        return f"{'namespace' if type(self) is SimpleNamespace else type(self).__name__}({members})"


mark_shared_class(SimpleNamespace)  # its objects are the program's to change
