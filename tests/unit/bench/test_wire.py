"""Requests and answers of the measuring clients."""

import pytest

from bench.wire import build_request, read_answer

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def test_an_answer_is_whole_with_its_last_byte() -> None:
    assert [read_answer(OK[:end]) for end in range(len(OK))] == [None] * len(OK)
    assert read_answer(OK) == (200, len(OK))


def test_what_follows_an_answer_is_not_counted() -> None:
    assert read_answer(OK + b"HTTP/1.1 503") == (200, len(OK))


def test_an_answer_without_content_needs_no_length() -> None:
    empty = b"HTTP/1.1 204 No Content\r\nserver: x\r\n\r\n"

    assert read_answer(empty) == (204, len(empty))


def test_an_answer_that_does_not_tell_its_length_is_refused() -> None:
    with pytest.raises(ValueError, match="without Content-Length"):
        read_answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


def test_a_request_tells_the_length_of_its_body() -> None:
    assert build_request("POST", "/agents", "t", {"a": "ä"}) == (
        b"POST /agents HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer t\r\n"
        b'Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{"a": "\\u00e4"}'
    )
    assert build_request("GET", "/health") == b"GET /health HTTP/1.1\r\nHost: bench\r\n\r\n"
