"""What is hostile in the bytes of a sandbox is found where they are read, before anybody stores or encodes it."""

import json

import pytest

from sandbox.untrusted import CrowdedError, UnreadableError, read_call, read_log, read_result


@pytest.mark.parametrize(
    "number",
    ["1e999", "-1e999", "1.5e400", "Infinity", "-Infinity", "NaN", pytest.param("9" * 5_000, id="endless digits")],
)
def test_numbers_that_no_json_carries_are_unreadable(number: str) -> None:
    with pytest.raises(UnreadableError):
        read_result(f'{{"value": [{number}]}}'.encode())
    with pytest.raises(UnreadableError):
        read_log(f'{{"message": "x", "fields": {{"value": {number}}}}}'.encode())
    with pytest.raises(UnreadableError):
        read_call(f'{{"glove": "fetch", "arguments": {{"json": {number}}}}}'.encode())


@pytest.mark.parametrize("number", ["1e308", "-1.5", "1e-999", "0.1", pytest.param("9" * 4_000, id="many digits")])
def test_numbers_that_json_carries_come_as_they_are(number: str) -> None:
    value = read_result(number.encode())

    assert json.loads(json.dumps(value, allow_nan=False)) == json.loads(number)


@pytest.mark.parametrize(
    "forged", [b"[" * 100_000, b"[0" + b",0" * 100_000 + b"]", b' {"message": "x", "fields": {}}', b""]
)
def test_what_is_no_object_is_unreadable_and_not_merely_crowded(forged: bytes) -> None:
    for read in (read_log, read_call):
        with pytest.raises(UnreadableError) as told:
            read(forged)
        assert not isinstance(told.value, CrowdedError)
