"""What wall this machine gives the restricted tier, found out by building it."""

from sandbox.restricted.pool import Pool
from sandbox.types import Wall


async def probe_wall(uid: int) -> Wall:
    """Build the wall around one child and tell what it lacks.

    Args:
        uid: what sandboxed code would run as when this process is root.

    Raises:
        TierUnavailableError: not even the minimum wall can be built here; `missing` says what and why.
    """
    pool = Pool(size=1, uid=uid, language="sandbox.policy")
    try:
        await pool.open()
        return pool.wall
    finally:
        await pool.close()
