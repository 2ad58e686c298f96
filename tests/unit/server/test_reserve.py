from contextlib import ExitStack
from uuid import uuid4

import pytest

from server.errors import ServerBusyError
from server.invocations.reserve import Reserve

ALICE, BOB = uuid4(), uuid4()


def test_nobody_waits_for_a_place() -> None:
    reserve = Reserve(1)

    with reserve.place(ALICE), pytest.raises(ServerBusyError), reserve.place(BOB):
        pass

    with reserve.place(BOB):
        pass


def test_some_places_stay_free_for_those_who_come_after() -> None:
    reserve = Reserve(8)
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(reserve.place(ALICE))
        with pytest.raises(ServerBusyError):
            stack.enter_context(reserve.place(ALICE))

        with reserve.place(BOB):
            pass


def test_a_server_may_have_no_places_for_called_agents() -> None:
    with pytest.raises(ServerBusyError), Reserve(0).place(ALICE):
        pass
