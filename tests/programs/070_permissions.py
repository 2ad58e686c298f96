"""Check file permissions with Flag enums, roles that inherit, and a guard decorator."""

from enum import Flag, auto
from functools import reduce, wraps
from operator import or_


class Permission(Flag):
    NONE = 0
    READ = auto()
    WRITE = auto()
    SHARE = auto()
    DELETE = auto()
    EDIT = READ | WRITE


ROLES = {  # own permissions, parent roles
    "guest": (Permission.READ, []),
    "author": (Permission.WRITE, ["guest"]),
    "moderator": (Permission.DELETE, ["guest"]),
    "editor": (Permission.SHARE, ["author", "moderator"]),
}


def granted(*roles):
    def walk(role):
        own, parents = ROLES[role]
        return reduce(or_, map(walk, parents), own)
    return reduce(or_, (walk(r) for r in roles), Permission.NONE)


class Denied(PermissionError):
    """The user's roles do not grant what the method requires."""


def names(permission):
    return "+".join(p.name for p in Permission if p in permission and p is not Permission.NONE) or "nothing"


def requires(needed):
    def decorator(method):
        @wraps(method)
        def checked(self, user, *args, **kwargs):
            missing = needed & ~self._grants.get(user, Permission.NONE)
            if missing:
                raise Denied(f"{user} lacks {names(missing)}")
            return method(self, user, *args, **kwargs)
        return checked
    return decorator


class Folder:
    def __init__(self, grants):
        self._grants = {user: granted(*roles) for user, roles in grants.items()}
        self._files = {"readme": "hi"}

    @requires(Permission.READ)
    def read(self, _user, name):
        return self._files.get(name, "no such file")

    @requires(Permission.EDIT)
    def write(self, _user, name, text="..."):
        self._files[name] = text

    @requires(Permission.DELETE | Permission.SHARE)
    def move(self, _user, name):
        return f"moved {self._files.pop(name)!r}"


def run(inputs):
    folder, log = Folder(inputs["grants"]), []
    for user, action, *args in inputs["actions"]:
        try:
            log.append(getattr(folder, action)(user, *args))
        except Denied as e:
            log.append(f"DENIED {e}")
    return {"log": log, "grants": {u: names(granted(*r)) for u, r in inputs["grants"].items()}}

# inputs: {"grants": {"gil": ["guest"], "amy": ["author"], "eda": ["editor"], "mo": ["moderator"]}, "actions": [["gil", "read", "readme"], ["gil", "write", "x"], ["amy", "write", "plan", "do it"], ["mo", "move", "plan"], ["eda", "move", "plan"], ["eve", "read", "plan"], ["mo", "read", "plan"]]}
# expect: {"log": ["hi", "DENIED gil lacks WRITE", null, "DENIED mo lacks SHARE", "moved 'do it'", "DENIED eve lacks READ", "no such file"], "grants": {"gil": "READ", "amy": "READ+WRITE", "eda": "READ+WRITE+SHARE+DELETE", "mo": "READ+DELETE"}}
