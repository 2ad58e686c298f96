"""A process that has an embedded database open: `opener.py DATA_DIR`, until its standard input ends.

Prints one line of JSON when it is open: the connection strings and the seconds it took, or the error.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from agents_store.embedded import EmbeddedPostgres
from agents_store.errors import StoreError


async def main(data_dir: Path) -> None:
    database = EmbeddedPostgres(data_dir)
    started = time.monotonic()
    try:
        await database.open()
    except StoreError as error:
        say({"error": type(error).__name__, "message": str(error)})
        return
    try:
        seconds = time.monotonic() - started
        say({"login_url": database.login_url, "owner_url": database.owner_url, "seconds": seconds})
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await database.close()


def say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


asyncio.run(main(Path(sys.argv[1])))
