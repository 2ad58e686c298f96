"""The queue for containers: owners take turns."""

import asyncio

from sandbox.docker.spec import Shape
from sandbox.docker.wishes import Wish, Wishes
from sandbox.types import Limits

SHAPE = Shape.of(Limits(), packages=False)


async def test_owners_take_turns_and_each_ones_wishes_keep_their_order() -> None:
    wishes = Wishes()
    many = [Wish("many", SHAPE) for _ in range(3)]
    one = Wish("one", SHAPE)
    for wish in (*many, one):
        wishes.add(wish)

    assert list(wishes) == [many[0], one, many[1], many[2]]
    assert len(wishes) == 4


async def test_who_was_served_is_last_the_next_time() -> None:
    wishes = Wishes()
    first, second, other = Wish("a", SHAPE), Wish("a", SHAPE), Wish("b", SHAPE)
    for wish in (first, second, other):
        wishes.add(wish)

    wishes.remove(first)
    wishes.remove(first)

    assert list(wishes) == [other, second]
    assert len(wishes) == 2


async def test_wish_knows_how_long_it_waits() -> None:
    wish = Wish("a", SHAPE)

    await asyncio.sleep(0.02)

    assert 0.01 < wish.waited_s < 5


def test_packages_that_are_not_used_do_no_harm() -> None:
    light, heavy = SHAPE, Shape.of(Limits(), packages=True)

    assert light.fitting == (light, heavy)
    assert heavy.fitting == (heavy,)
