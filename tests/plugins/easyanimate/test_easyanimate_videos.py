"""The stand-in's videos are real ones, and what is no whole video is told from them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from djsandbox_easyanimate.testing.mp4 import mp4
from djsandbox_easyanimate.videos import is_whole_mp4


def box(content: bytes, *kinds: bytes) -> bytes:
    """What is in the box that `kinds` lead to."""
    at = 0
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        if kind == kinds[0]:
            inner = content[at + 8 : at + length]
            return box(inner, *kinds[1:]) if kinds[1:] else inner
        at += length
    raise KeyError(kinds)


def test_the_index_of_a_video_leads_to_its_frames_which_are_pictures() -> None:
    video = mp4("a cat", frames=5, fps=8)
    table = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
    _, _, count, *sizes = struct.unpack(">8I", box(video, *table, b"stsz"))
    (begin,) = struct.unpack(">8xI", box(video, *table, b"stco"))
    assert count == 5
    pixels = set()
    for size in sizes:
        picture = video[begin : begin + size]
        assert picture.startswith(b"\x89PNG") and picture.endswith(b"IEND" + struct.pack(">I", zlib.crc32(b"IEND")))
        (length,) = struct.unpack(">I", picture[33:37])
        rows = zlib.decompress(picture[41 : 41 + length])
        assert len(rows) == 64 * (1 + 64 * 3)
        pixels.add(rows)
        begin += size
    assert len(pixels) == 5  # something moves
    _, timescale, duration = struct.unpack(">3I", box(video, b"moov", b"mvhd")[8:20])
    assert timescale and duration / timescale == 5 / 8


def test_a_video_can_be_played(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed (pip install av)")
    (tmp_path / "a.mp4").write_bytes(mp4("a cat", frames=49, fps=8))
    with av.open(str(tmp_path / "a.mp4")) as container:
        (stream,) = container.streams.video
        assert (stream.width, stream.height, stream.frames, float(stream.average_rate)) == (64, 64, 49, 8.0)
        assert len(list(container.decode(video=0))) == 49


def test_other_words_give_another_video_and_the_same_words_the_same() -> None:
    assert mp4("a cat", 3, 8) == mp4("a cat", 3, 8) != mp4("a dog", 3, 8)


@pytest.mark.parametrize("kept", [0, 4, 7, 20, 400, -1])
def test_a_video_that_ends_too_early_is_no_whole_one(tmp_path: Path, kept: int) -> None:
    video = mp4("a cat", frames=16, fps=12)
    path = tmp_path / "a.mp4"
    path.write_bytes(video)
    assert is_whole_mp4(str(path))
    path.write_bytes(video[:kept])
    assert not is_whole_mp4(str(path))


def test_boxes_with_long_lengths_and_an_open_end_are_understood(tmp_path: Path) -> None:
    start, index = struct.pack(">I4s", 8, b"ftyp"), struct.pack(">I4s", 8, b"moov")
    path = tmp_path / "a.mp4"
    path.write_bytes(start + index + struct.pack(">I4sQ", 1, b"mdat", 20) + b"1234")
    assert is_whole_mp4(str(path))
    path.write_bytes(start + index + struct.pack(">I4s", 0, b"mdat") + b"123")
    assert is_whole_mp4(str(path))
    path.write_bytes(start + struct.pack(">I4s", 3, b"free") + index)
    assert not is_whole_mp4(str(path))
