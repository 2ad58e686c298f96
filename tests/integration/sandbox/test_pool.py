"""Children, and who gets the next one."""

import asyncio

from sandbox.restricted import RestrictedSandbox
from sandbox.types import Outcome, Program, Result
from tests.integration.sandbox.conftest import LIMITS, UID
from tests.support.gloves import FixedGloves

QUICK = Program("def run():\n    return 1")


async def test_owner_with_many_runs_does_not_keep_others_waiting() -> None:
    sandbox = RestrictedSandbox(uid=UID, pool_size=1)

    async def run(owner: str) -> Result:
        return await sandbox.run(QUICK, {}, LIMITS, FixedGloves(owner=owner))

    await sandbox.open()
    try:
        many = [asyncio.create_task(run("many")) for _ in range(40)]
        await asyncio.sleep(0)  # all of them wait, or have the one child that stood ready
        one = await run("one")
        unfinished = sum(not each.done() for each in many)
        results = await asyncio.gather(*many)
    finally:
        await sandbox.close()

    assert one.outcome == Outcome.SUCCEEDED
    assert unfinished >= 20
    assert {result.outcome for result in results} == {Outcome.SUCCEEDED}
