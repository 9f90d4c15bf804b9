from __future__ import annotations

import pytest
from djsandbox.process.lines import LineSplitter


def lines_of(*pieces: bytes, longest: int = 100) -> list[str]:
    splitter = LineSplitter(longest)
    return [line for piece in pieces for line in splitter.feed(piece)] + list(splitter.close())


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"1%\r2%\r3%\n", ["1%", "2%", "3%"]),
        (b"\r1%\r2%\n", ["1%", "2%"]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"a\r\n\r\nb", ["a", "", "b"]),
        (b"a\rb\n\n", ["a", "b", ""]),
        (b"no end", ["no end"]),
        (b"", []),
        ("ü\n漢\n".encode(), ["ü", "漢"]),
        (b"\xff\xfe ok\n", ["\ufffd\ufffd ok"]),
        ("cut ü".encode()[:-1], ["cut \ufffd"]),
        ("one\u2028line\x0b\x0c\x85".encode(), ["one\u2028line\x0b\x0c\x85"]),
    ],
)
def test_bytes_become_the_same_lines_however_they_are_cut(data: bytes, lines: list[str]) -> None:
    assert lines_of(data) == lines
    assert lines_of(*(data[i : i + 1] for i in range(len(data)))) == lines
    for cut in range(len(data)):
        assert lines_of(data[:cut], b"", data[cut:]) == lines


def test_a_line_is_there_as_soon_as_its_end_is() -> None:
    splitter = LineSplitter()
    assert [list(splitter.feed(piece)) for piece in (b"10%", b"\r", b"20%\r", b"\nend")] == [[], ["10%"], ["20%"], []]


def test_a_line_too_long_comes_in_pieces_and_nothing_is_lost() -> None:
    assert lines_of(b"abcdefgh\nij\n", longest=3) == ["abc", "def", "gh", "ij"]
    assert lines_of(b"abcdef\n", longest=3) == ["abc", "def"]
    assert lines_of(*[b"x"] * 10, longest=4) == ["xxxx", "xxxx", "xx"]


def test_a_line_without_end_is_not_kept_in_memory() -> None:
    splitter = LineSplitter(10)
    assert sum(len(line) for _ in range(100) for line in splitter.feed(b"x" * 1000)) == 100_000 - 10
