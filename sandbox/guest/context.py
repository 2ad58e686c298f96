"""`ctx`, as agent code sees it: the same in every tier."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

GLOVES = (
    "fetch",
    "memory.get",
    "memory.put",
    "memory.delete",
    "memory.list",
    "memory.search",
    "secrets.use",
    "call",
    "files.write",
)


class WriteLog(Protocol):
    """Sends one log line to the host."""

    def __call__(self, message: str, fields: Mapping[str, object] | None = None) -> None:
        """Send it."""


class CallGlove(Protocol):
    """Asks the host for one thing and waits for it."""

    def __call__(self, glove: str, arguments: Mapping[str, object]) -> Any:
        """The answer as JSON gives it. Raises the built-in exception that the host names."""


class Response:
    """What a fetch brought: `status`, `ok`, `url`, `headers` with lower-case names, `content`, `text`, `json()`."""

    __slots__ = ("content", "headers", "json", "ok", "status", "text", "url")

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.status: int = told["status"]
        self.ok: bool = 200 <= self.status < 300
        self.url: str = told["url"]
        self.headers: dict[str, str] = told["headers"]
        if "text" in told:
            self.text: str = told["text"]
            self.content: bytes = self.text.encode()
        else:
            self.content = base64.b64decode(told["base64"])
            self.text = self.content.decode("utf-8", "replace")
        text = self.text
        self.json: Callable[[], Any] = lambda: json.loads(text)


class Memory:
    """What an agent remembers between runs, by key."""

    __slots__ = ("delete", "get", "list", "put", "search")

    def __init__(self, call: CallGlove) -> None:
        def get(key: str, default: object = None) -> Any:
            """The value under a key."""
            answer = call("memory.get", {"key": key})
            return answer["value"] if answer["found"] else default

        def put(key: str, value: object, *, tags: Iterable[object] = (), importance: float = 0.0) -> None:
            """Remember a JSON value."""
            call("memory.put", {"key": key, "value": value, "tags": list(tags), "importance": importance})

        def delete(key: str) -> bool:
            """Forget a key; whether it was there."""
            return bool(call("memory.delete", {"key": key}))

        def list_keys(prefix: str = "", limit: int = 100) -> Any:
            """Keys in their order, at most `limit`."""
            return call("memory.list", {"prefix": prefix, "limit": limit})

        def search(text: str, limit: int = 5, *, tags: Iterable[object] = ()) -> Any:
            """What means nearly the same, best first: dicts with key, value, score, tags, importance."""
            return call("memory.search", {"text": text, "limit": limit, "tags": list(tags)})

        self.get, self.put, self.delete, self.list, self.search = get, put, delete, list_keys, search


class Secrets:
    """Secrets that the agent may send, and never sees."""

    __slots__ = ("use",)

    def __init__(self, call: CallGlove) -> None:
        def use(name: str) -> str:
            """What to write where the secret belongs, in a request to a host that it is bound to."""
            return str(call("secrets.use", {"name": name}))

        self.use = use


class Files:
    """Files that a run leaves for its owner."""

    __slots__ = ("write",)

    def __init__(self, call: CallGlove) -> None:
        def write(name: str, data: bytes | str, media_type: str | None = None) -> Any:
            """Leave a file; what is known of it."""
            if not isinstance(data, str | bytes | bytearray | memoryview):
                raise TypeError("ctx.files.write() takes text or bytes")
            content = data.encode() if isinstance(data, str) else bytes(data)
            text = base64.b64encode(content).decode()
            return call("files.write", {"name": name, "base64": text, "media_type": media_type})

        self.write = write


class Context:
    """What an agent may ask of its host."""

    __slots__ = ("call", "fetch", "files", "log", "memory", "secrets", "test")

    log: Callable[..., None]

    def __init__(self, write_log: WriteLog, call_glove: CallGlove, *, test: bool) -> None:
        def log(message: object, **fields: object) -> None:
            """Write a log line with named values."""
            write_log(str(message), fields)

        def fetch(url: str, method: str = "GET", **options: object) -> Response:
            """Make one HTTP request: options are params, headers, json, data."""
            return Response(call_glove("fetch", {"url": url, "method": method, **_fetch_options(options)}))

        def call(agent_name: str, inputs: Mapping[str, object] | None = None) -> Any:
            """Run another agent of the same owner; its result."""
            return call_glove("call", {"agent_name": agent_name, "inputs": inputs or {}})

        self.log, self.fetch, self.call, self.test = log, fetch, call, test
        self.memory, self.secrets, self.files = Memory(call_glove), Secrets(call_glove), Files(call_glove)


def _fetch_options(options: Mapping[str, object]) -> dict[str, object]:
    unknown = set(options) - {"params", "headers", "json", "data"}
    if unknown:
        raise TypeError(f"fetch() got an unexpected argument {sorted(unknown)[0]!r}")
    told = {name: value for name, value in options.items() if value is not None or name == "json"}
    data = told.get("data")
    if isinstance(data, bytes | bytearray):
        told["data"] = {"base64": base64.b64encode(data).decode()}
    return told
