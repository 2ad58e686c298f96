"""What is printed: exact amounts, and nothing that could steer the terminal it is printed on."""

import json

import pytest

from server.cli import output


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2J",  # erase the screen
        "\x1b]0;title\x07",  # set the window's title
        "\x9b31m",  # the same as ESC [, in one character
        "\r",  # write over what stands there
        "\x08",
        "\x7f",
        "\u202e",  # reverse what follows
        "\u2066",
        "\ud800",
    ],
)
def test_what_steers_a_terminal_is_written_out(hostile: str) -> None:
    shown = output.plain(f"before{hostile}after")

    assert all(char.isprintable() for char in shown)
    assert shown.startswith("before\\u")


@pytest.mark.parametrize("text", ["plain", "two\nlines", "a\ttab", "Ünïcödé ☃ 你好", "👩\u200d🚀"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert output.plain(text) == text


@pytest.mark.parametrize("value", [{"key\x9b": "\x7f\u202e\x1b\n"}, ["☃", None, 1.5, True], "\ud800"])
def test_json_is_safe_to_show_and_means_the_same(value: object) -> None:
    shown = output.as_json(value)

    assert all(char.isprintable() for char in shown)
    assert json.loads(shown) == value


@pytest.mark.parametrize(
    ("microcredits", "text"),
    [
        (0, "0.000000"),
        (1, "0.000001"),
        (1_234_567, "1.234567"),
        (-1, "-0.000001"),
        (-2_000_000, "-2.000000"),
        (2**63 - 1, "9223372036854.775807"),
    ],
)
def test_credits_are_exact(microcredits: int, text: str) -> None:
    assert output.credits_text(microcredits) == text


def test_table_that_is_piped_is_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("NAME", "TEXT"), [("a", "one\ntwo\tthree"), ("b", None)])

    assert capsys.readouterr().out == "NAME\tTEXT\na\tone two three\nb\t-\n"


def test_talk_is_not_in_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    output.note("just so you know")
    output.line("result")

    captured = capsys.readouterr()
    assert captured.out == "result\n"
    assert captured.err == "just so you know\n"
