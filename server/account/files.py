"""The bytes of files, put into an export beside what is known of them."""

import base64
import json
from collections.abc import AsyncIterator
from uuid import UUID

from agents_store.errors import UnknownFileError, UnknownRunError
from agents_store.types import Principal
from server.services import Services

_FILE = '{"type":"file"'  # how the store begins such a line


async def with_files(lines: AsyncIterator[str], services: Services, caller: Principal) -> AsyncIterator[str]:
    """The lines of an export; files get their bytes, in base64, as `base64`, one file at a time in memory."""
    async for line in lines:
        yield await _with_bytes(line, services, caller) if line.startswith(_FILE) else line


async def _with_bytes(line: str, services: Services, caller: Principal) -> str:
    told = json.loads(line)
    try:
        file = await services.store.get_file(caller, UUID(told["run_id"]), told["name"])
        content = await services.fitting.files.read(file)
    except (UnknownFileError, UnknownRunError):  # it went meanwhile
        return line
    return json.dumps({**told, "base64": base64.b64encode(content).decode()}, separators=(",", ":"))
