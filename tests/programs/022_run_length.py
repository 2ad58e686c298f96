"""Run-length encode and decode text, with itertools.groupby and a regular expression."""

import re
from itertools import chain, groupby, repeat


def encode(text):
    parts = []
    for char, group in groupby(text):
        length = sum(1 for _ in group)
        escaped = f"\\{char}" if char.isdigit() or char == "\\" else char
        parts.append(escaped if length == 1 else f"{length}{escaped}")
    return "".join(parts)


def decode(code):
    pattern = re.compile(r"(\d*)(\\.|[^\\\d])", re.DOTALL)
    position = 0
    pieces = []
    while position < len(code):
        m = pattern.match(code, position)
        if not m:
            raise ValueError(f"bad code at {position}")
        length, symbol = m.groups()
        pieces.append(repeat(symbol[-1], int(length or 1)))
        position = m.end()
    return "".join(chain.from_iterable(pieces))


def run(inputs):
    rows = []
    for text in inputs["texts"]:
        code = encode(text)
        assert decode(code) == text, text
        ratio = len(code) / len(text) if text else 1
        rows.append([text, code, f"{ratio:.0%}"])
    try:
        decode("3")
    except ValueError as exc:
        rows.append(["3", str(exc), None])
    return {"rows": rows}

# inputs: {"texts": ["WWWWWWBBBWWWWWW", "abc", "", "11122\\", "aaa  \n\n\n"]}
# expect: {"rows": [["WWWWWWBBBWWWWWW", "6W3B6W", "40%"], ["abc", "abc", "100%"], ["", "", "100%"], ["11122\\", "3\\12\\2\\\\", "133%"], ["aaa  \n\n\n", "3a2 3\n", "75%"], ["3", "bad code at 0", null]]}
