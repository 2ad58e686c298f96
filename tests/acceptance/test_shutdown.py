"""Stopping a server: live runs end well or as lost, waiting calls are turned away, nothing stays held."""

import asyncio
from uuid import uuid4

from tests.acceptance.running import User, client_for, eventually, reachable_directory, running, settings_for
from tests.acceptance.test_one_path import COUNT, ENDLESS, GRANT

LONG = {"wall_ms_max": 30_000, "cpu_ms_max": 30_000}


async def test_a_live_run_ends_well_and_waiting_calls_are_turned_away() -> None:
    with reachable_directory() as data_dir:
        user_id = uuid4()
        with running(settings_for(data_dir, runs_live_max=1, shutdown_grace_s=30)) as server:
            async with client_for(server, server.token_for(user_id)) as client:
                user = User(user_id, client)
                await user.create("count", COUNT, limits=LONG)
                calls = [asyncio.create_task(client.post(user.path("count"), json={"n": 5_000_000})) for _ in range(3)]

                async def both_wait() -> bool:
                    return server.services.admission.waiting == 2

                await eventually(both_wait)

                server.stop()
                answers = await asyncio.gather(*calls)

        assert sorted(answer.status_code for answer in answers) == [200, 503, 503]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert {answer.json()["code"] for answer in refused} == {"shutting_down"}
        assert all("retry-after" in answer.headers for answer in refused)

        with running(settings_for(data_dir)) as server:
            async with client_for(server, server.token_for(user_id)) as client:
                user = User(user_id, client)
                (run,) = await user.runs()
                assert (run["state"], run["outcome"]) == ("completed", "succeeded")
                assert (await user.balance())["held_microcredits"] == 0


async def test_a_run_that_outlives_the_grace_is_lost_and_free() -> None:
    with reachable_directory() as data_dir:
        user_id = uuid4()
        with running(settings_for(data_dir, shutdown_grace_s=1)) as server:
            async with client_for(server, server.token_for(user_id)) as client:
                user = User(user_id, client)
                await user.create("endless", ENDLESS, limits=LONG)
                call = asyncio.create_task(client.post(user.path("endless"), json={}))
                await eventually(user.runs)

                server.stop()
                answer = await call

        assert (answer.status_code, answer.json()["code"]) == (503, "lost")
        assert answer.headers["glovebox-run-id"]

        with running(settings_for(data_dir)) as server:
            async with client_for(server, server.token_for(user_id)) as client:
                user = User(user_id, client)
                (run,) = await user.runs()
                assert (run["state"], run["outcome"], run["reason"]) == ("failed", "failed", "lost")
                assert await user.balance() == {"available_microcredits": GRANT, "held_microcredits": 0}
