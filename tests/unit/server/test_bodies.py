import json
import time

import pytest

from server.bodies import BODY_BYTES_MAX, DEPTH_MAX, parse_json
from server.errors import InvalidRequestError


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
        b'{"a":' + b"9" * 5000 + b"}",
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

    parse_json(body)

    assert time.process_time() - started < 1
