import json
import time
from contextlib import suppress
from uuid import uuid4

import pytest

from server.bodies import BODY_BYTES_MAX, DEPTH_MAX, VALUES_MAX, BodyBudget, parse_json
from server.errors import InvalidRequestError, ServerBusyError, UserBytesError


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"a":1',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":-1e999}',
        b'{"a":1,"a":2}',
        b'{"b":{"a":1,"\\u0061":2}}',
        b'{"a":"\\u0000"}',
        b'{"\\u0000":1}',
        b'{"a":["\\ud800"]}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"a":"\xff"}',
        b"\xff\xfe{\x00}\x00",
        b'{"a":' + b"9" * 401 + b"}",
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
        b'{"a":' * 500_000,
        b"[" * 1_000_000,
    ],
)
def test_what_can_be_read_two_ways_or_not_stored_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\N{GRINNING FACE}"}),
        (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
        (b'{"a":"\\\\ud800"}', {"a": "\\ud800"}),
        (b'{"a":1.5,"b":[-0.0,1e10],"c":123456789012345678901234567890}', None),
        (b"[" * DEPTH_MAX + b"]" * DEPTH_MAX, None),
        (b' {"a" : null} ', {"a": None}),
    ],
)
def test_ordinary_json_is_read_as_it_stands(body: bytes, value: object) -> None:
    assert parse_json(body) == (json.loads(body) if value is None else value)


@pytest.mark.parametrize("unit", [b"{},", b"0.1,", b'"\\u0001",', b"[[]],", b"0,", b'"",'])
def test_the_costliest_body_is_read_in_bounded_time(unit: bytes) -> None:
    body = b"[" + unit * ((BODY_BYTES_MAX - 10) // len(unit)) + b"0]"
    started = time.process_time()

    with suppress(InvalidRequestError):  # of too many values
        parse_json(body)

    assert time.process_time() - started < 1


@pytest.mark.parametrize("unit", [b"[", b"{", b",", b'\\"[', b"\\\\[,", b'\\\\\\"['])
def test_characters_in_strings_are_not_taken_for_values(unit: bytes) -> None:
    text = b'["' + unit * (BODY_BYTES_MAX // 6) + b'\\\\",["x"]]'

    assert parse_json(text) == json.loads(text)


@pytest.mark.parametrize(
    ("unit", "units_max"), [(b"[]", VALUES_MAX // 2), (b"{}", VALUES_MAX // 2), (b"0", VALUES_MAX)]
)
def test_values_are_counted_before_they_are_made(unit: bytes, units_max: int) -> None:
    def body(units: int) -> bytes:
        return b"[" + b",".join([unit] * units) + b"]"

    assert len(parse_json(body(units_max))) == units_max
    for crowded in (body(units_max + 1), b'["' + b"[" * VALUES_MAX + b'",' + body(units_max + 1) + b"]"):
        with pytest.raises(InvalidRequestError, match="values"):
            parse_json(crowded)


def test_one_users_bytes_are_bounded_and_come_back_when_their_requests_end() -> None:
    budget = BodyBudget(user_bytes_max=10, bytes_max=100)
    alice, bob = uuid4(), uuid4()

    with budget.hold(alice) as first, budget.hold(alice) as second:
        first.take(6)
        second.take(4)
        with pytest.raises(UserBytesError) as refused:
            second.take(1)
        assert refused.value.bytes_max == 10
        with budget.hold(bob) as another:
            another.take(10)

    with budget.hold(alice) as later:
        later.take(10)
        later.release()
        later.release()
        later.take(10)


def test_all_users_bytes_are_bounded_together() -> None:
    budget = BodyBudget(user_bytes_max=10, bytes_max=15)

    with budget.hold(uuid4()) as first, budget.hold(uuid4()) as second:
        first.take(10)
        second.take(5)
        with pytest.raises(ServerBusyError):
            second.take(1)

    with budget.hold(uuid4()) as later:
        later.take(10)
