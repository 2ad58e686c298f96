"""Register chat commands with a parametrised decorator and dispatch messages to them."""

import functools

COMMANDS = {}


def command(name, *, aliases=(), min_args=0):
    """Register a handler under a name and its aliases."""

    def decorator(func):
        @functools.wraps(func)
        def wrapper(*args):
            if len(args) < min_args:
                return f"{name} needs at least {min_args} argument(s)"
            wrapper.calls += 1
            return func(*args)

        wrapper.calls = 0
        for key in (name, *aliases):
            COMMANDS[key] = wrapper
        return wrapper

    return decorator


@command("add", aliases=("sum", "plus"), min_args=2)
def add(*numbers):
    """Add numbers."""
    return sum(int(n) for n in numbers)


@command("echo")
def echo(*words):
    """Repeat the words."""
    return " ".join(words)


@command("help", aliases=["?"])
def show_help(*_):
    """List commands."""
    seen = {}
    for func in COMMANDS.values():
        seen.setdefault(func.__name__, func.__doc__)
    return [f"{name}: {doc}" for name, doc in sorted(seen.items())]


def handle(message):
    head, *args = message.lstrip("/").split()
    try:
        return COMMANDS[head](*args)
    except KeyError:
        return f"unknown command {head!r}"
    except ValueError as exc:
        return f"bad argument: {exc}"


def run(inputs):
    replies = [handle(m) for m in inputs["messages"]]
    return {"replies": replies, "calls": {f.__name__: f.calls for f in (add, echo, show_help)}}

# inputs: {"messages": ["/add 2 3 4", "/plus 1", "/sum 1 x", "/echo hello there", "/?", "/dance now"]}
# expect: {"replies": [9, "add needs at least 2 argument(s)", "bad argument: invalid literal for int() with base 10: 'x'", "hello there", ["add: Add numbers.", "echo: Repeat the words.", "show_help: List commands."], "unknown command 'dance'"], "calls": {"add": 2, "echo": 1, "show_help": 1}}
