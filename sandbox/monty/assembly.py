"""The source that a worker is fed for one run: patches, the author's program, and the call of its `run`.

All of it is one feed, so that a run costs one exchange. Whatever the program does to these names, it does to itself:
what comes back is untrusted. Names of ours begin with `PREFIX`.
"""

import re
from dataclasses import dataclass

PREFIX = "_gbx_"
INPUTS = f"{PREFIX}inputs"
GLOVE = f"{PREFIX}glove"
LOG = f"{PREFIX}log"
TEST = f"{PREFIX}test"
AUTHORS_FILE = "<python-input-0>"
ARITY_MAX = 2

# The interpreter rounds a product; Python rounds the exact binary value, as formatting does in both.
_ROUND = (
    "_gbx_round = round\n"
    "def round(number, ndigits=None):\n"
    "    if ndigits is None or not isinstance(number, float) or not 0 <= ndigits <= 300 or number - number != 0:\n"
    "        return _gbx_round(number) if ndigits is None else _gbx_round(number, ndigits)\n"
    '    return float(f"{number:.{ndigits}f}")\n'
)
# As good as no builtin is used here: the program may have given their names another meaning. The host does what needs
# one. The interpreter would send what is no JSON as some text, so it is encoded once before it is sent.
_CONTEXT = """
def _gbx_ask(glove, told, data=None):
    import json as _gbx_json
    try:
        _gbx_json.dumps(told, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"ctx.{glove}: {error}")
    return _gbx_glove(glove, told, data)
class _gbx_Response:
    def __init__(self, told):
        self.status, self.ok, self.url = told["status"], told["ok"], told["url"]
        self.headers, self.content, self.text = told["headers"], told["content"], told["text"]
    def json(self):
        import json as _gbx_json
        return _gbx_json.loads(self.text)
class _gbx_Memory:
    def get(self, key, default=None):
        answer = _gbx_ask("memory.get", {"key": key})
        return answer["value"] if answer["found"] else default
    def put(self, key, value, *, tags=(), importance=0.0):
        _gbx_ask("memory.put", {"key": key, "value": value, "tags": [*tags], "importance": importance})
    def delete(self, key):
        return _gbx_ask("memory.delete", {"key": key})
    def list(self, prefix="", limit=100):
        return _gbx_ask("memory.list", {"prefix": prefix, "limit": limit})
    def search(self, text, limit=5, *, tags=()):
        return _gbx_ask("memory.search", {"text": text, "limit": limit, "tags": [*tags]})
class _gbx_Secrets:
    def use(self, name):
        return _gbx_ask("secrets.use", {"name": name})
class _gbx_Files:
    def write(self, name, data, media_type=None):
        return _gbx_ask("files.write", {"name": name, "media_type": media_type}, data)
class _gbx_Context:
    def __init__(self):
        self.test, self.memory, self.secrets, self.files = _gbx_test, _gbx_Memory(), _gbx_Secrets(), _gbx_Files()
    def log(self, message, **fields):
        _gbx_log(f"{message}", fields)
    def fetch(self, url, method="GET", *, data=None, **options):
        return _gbx_Response(_gbx_ask("fetch", {"url": url, "method": method, "options": options}, data))
    def call(self, agent_name, inputs=None):
        return _gbx_ask("call", {"agent_name": agent_name, "inputs": inputs or {}})
"""
# Strict JSON, told apart from what only looks like it once it is text: other keys than text, for example.
_ANSWER = """import json as _gbx_json
_gbx_text = _gbx_json.dumps(_gbx_value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
(_gbx_text, _gbx_json.loads(_gbx_text) == _gbx_value) if _gbx_text[{chars_max}:] == "" else (None, True)"""
# Fed after a result that is no JSON, to name the place.
FIND_FAULT = """
def _gbx_fault(value, path, depth):
    if depth > 200:
        return f"{path[:200]}: nested deeper than 200 levels, or contains itself"
    if isinstance(value, str):
        return f"{path}: text with a NUL character" if "\\0" in value else None
    if value is None or isinstance(value, (bool, int)):
        return None
    if isinstance(value, float):
        return None if value - value == 0 else f"{path}: {value!r} is not JSON"
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                return f"{path}: the key {repr(key)[:80]} is not text; JSON objects have text keys"
            if "\\0" in key:
                return f"{path}: key: text with a NUL character"
            fault = _gbx_fault(item, f"{path}[{repr(key)[:80]}]", depth + 1)
            if fault:
                return fault
        return None
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            fault = _gbx_fault(item, f"{path}[{index}]", depth + 1)
            if fault:
                return fault
        return None
    return f"{path}: {type(value).__name__} is not JSON"
_gbx_fault(_gbx_value, "result", 0)"""

_BINDING = re.compile(r"\w+\(\) takes (?:from \d+ to )?(\d+) positional arguments? but (\d+) (?:was|were) given")


@dataclass(frozen=True, slots=True)
class Assembly:
    """A feed, and where the author's lines lie in it: `offset` lines before them, `lines` of them.

    `call_line` is where `run` is called.
    """

    text: str
    offset: int
    lines: int
    call_line: int

    def author_line(self, line: int) -> int | None:
        """The author's line, None for a line of ours."""
        return line - self.offset if self.offset < line <= self.offset + self.lines else None

    def nearest_line(self, line: int) -> int:
        """The author's line, or the nearest one where the parser lost its way beyond the end."""
        return min(max(line - self.offset, 1), self.lines)


def assemble(source: str, arity: int, chars_max: int) -> Assembly:
    """The feed that runs a program, calling `run` with so many of inputs and `ctx`."""
    head = _ROUND if "round" in source else ""
    call = ", ".join((INPUTS, "_gbx_Context()")[:arity])
    body = head + source + "\n" + (_CONTEXT if arity == ARITY_MAX else "")
    text = f"{body}_gbx_value = run({call})\n{_ANSWER.format(chars_max=chars_max)}"
    return Assembly(text, head.count("\n"), source.count("\n") + 1, body.count("\n") + 1)


def call_again(arity: int, chars_max: int) -> str:
    """The feed that calls `run` of a program that is loaded, with fewer arguments."""
    return f"_gbx_value = run({', '.join((INPUTS, '')[:arity])})\n{_ANSWER.format(chars_max=chars_max)}"


def arity_wanted(message: str, given: int) -> int | None:
    """How many arguments `run` takes, by the complaint about those `given`; None when that is not it."""
    found = _BINDING.fullmatch(message)
    return int(found[1]) if found and int(found[2]) == given > int(found[1]) else None
