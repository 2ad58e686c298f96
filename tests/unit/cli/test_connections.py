"""Above the bound a newcomer takes the place of whoever waits longest for its client; nobody who works gives way."""

from dataclasses import dataclass, field

import pytest

from server.cli.connections import AGE_S_MIN, Connections, Waiting


@dataclass(eq=False)
class Held:
    """A connection that remembers why it had to go."""

    ended_in: list[Waiting] = field(default_factory=list)

    def give_way(self, waiting: Waiting) -> None:
        self.ended_in.append(waiting)


class Hands:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def hands() -> Hands:
    return Hands()


def admitted(connections: Connections) -> Held:
    held = Held()
    assert connections.admit(held)
    return held


def test_who_waits_longest_for_a_head_gives_way(hands: Hands) -> None:
    connections = Connections(2, hands)
    first = admitted(connections)
    hands.now_s += 2 * AGE_S_MIN
    second = admitted(connections)

    admitted(connections)

    assert first.ended_in == [Waiting.HEAD]
    assert second.ended_in == []
    assert len(connections) == 2


@pytest.mark.parametrize("slow", [waiting for waiting in Waiting if waiting is not Waiting.REQUEST])
def test_slow_clients_give_way_before_connections_that_are_kept_alive(hands: Hands, slow: Waiting) -> None:
    connections = Connections(2, hands)
    kept = admitted(connections)
    connections.note(kept, Waiting.REQUEST)
    hands.now_s += 2 * AGE_S_MIN
    waits = admitted(connections)
    connections.note(waits, slow)
    hands.now_s += 2 * AGE_S_MIN

    admitted(connections)

    assert waits.ended_in == [slow]
    assert kept.ended_in == []


def test_idle_connections_give_way_before_a_head_that_may_still_be_on_its_way(hands: Hands) -> None:
    connections = Connections(2, hands)
    idle = admitted(connections)
    connections.note(idle, Waiting.REQUEST)
    hands.now_s += 2 * AGE_S_MIN
    fresh = admitted(connections)

    admitted(connections)

    assert idle.ended_in == [Waiting.REQUEST]
    assert fresh.ended_in == []


def test_who_works_never_gives_way_and_the_newcomer_is_turned_away(hands: Hands) -> None:
    connections = Connections(2, hands)
    working = [admitted(connections) for _ in range(2)]
    for connection in working:
        connections.note(connection, None)
    hands.now_s += 1000

    newcomer = Held()

    assert not connections.admit(newcomer)
    connections.note(newcomer, Waiting.HEAD)
    connections.forget(newcomer)
    assert len(connections) == 2
    assert not any(connection.ended_in for connection in working)


def test_a_place_is_free_again_once_its_connection_is_closed(hands: Hands) -> None:
    connections = Connections(1, hands)
    first = admitted(connections)
    connections.note(first, None)
    connections.forget(first)
    connections.forget(first)

    admitted(connections)

    assert first.ended_in == []


def test_noting_the_same_again_makes_nobody_younger(hands: Hands) -> None:
    connections = Connections(2, hands)
    dribbling = admitted(connections)
    hands.now_s += 2 * AGE_S_MIN
    admitted(connections)
    hands.now_s += 2 * AGE_S_MIN
    connections.note(dribbling, Waiting.HEAD)

    admitted(connections)

    assert dribbling.ended_in == [Waiting.HEAD]
