"""Reading real videos, made by the tests with PyAV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from djsandbox_inception.worker.prefetch import prefetched
from djsandbox_inception.worker.problems import Unfit
from djsandbox_inception.worker.reading import count_frames, digest_of, read_clips

GREYS = [[10 * at] * 3 for at in range(20)]


def unchanged(frame: Any) -> Any:
    return frame


@pytest.fixture
def video(tmp_path: Path, make_video: Any) -> str:
    return str(make_video(tmp_path / "greys.mkv", GREYS))


def test_clips_have_the_frames_that_they_should_in_rgb(video: str) -> None:
    clips = dict(read_clips(video, [0, 3, 5], length=4, spacing=2, change=unchanged))
    assert list(clips) == [0, 3, 5]
    for start, clip in clips.items():
        assert clip.shape == (4, 48, 64, 3) and clip.dtype == np.uint8
        assert clip[:, 0, 0, 0].tolist() == [10 * (start + 2 * step) for step in range(4)]


def test_colours_come_in_the_order_red_green_blue(tmp_path: Path, make_video: Any) -> None:
    path = make_video(tmp_path / "red.mkv", [[200, 100, 50]])
    ((_, clip),) = read_clips(path, [0], length=1, spacing=1, change=unchanged)
    assert clip[0, 5, 5].tolist() == [200, 100, 50]


def test_only_frames_that_are_wanted_are_changed(video: str) -> None:
    seen = []

    def change(frame: Any) -> Any:
        seen.append(int(frame[0, 0, 0]))
        return frame

    list(read_clips(video, [2, 9], length=2, spacing=1, change=change))
    assert seen == [20, 30, 90, 100]


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "ffv1"), ("mp4", "mpeg4"), ("avi", "mpeg4"), ("mp4", "libx264")])
def test_frames_are_counted_without_decoding_as_many_as_can_be_decoded(
    tmp_path: Path, make_video: Any, suffix: str, codec: str
) -> None:
    path = make_video(tmp_path / f"v.{suffix}", GREYS, suffix_codec=codec)
    assert count_frames(path) == 20
    assert len(list(read_clips(path, range(20), length=1, spacing=1, change=unchanged))) == 20


def test_what_is_no_video_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("no video")
    with pytest.raises(Unfit, match=r"notes\.mp4 cannot be read as a video: .*encode it anew"):
        count_frames(str(path))


def test_a_file_without_pictures_is_said_to_have_none(tmp_path: Path) -> None:
    import av

    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), dtype=np.int16), format="s16", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(Unfit, match="has no pictures"):
        count_frames(str(path))


def test_a_video_that_ends_early_is_refused_with_how_far_it_goes(video: str) -> None:
    with pytest.raises(Unfit, match="ends after 20 frames"):
        list(read_clips(video, [15], length=10, spacing=1, change=unchanged))


def test_the_digest_tells_contents_apart_and_not_names(tmp_path: Path) -> None:
    for name, text in (("a", "x"), ("b", "x"), ("c", "y")):
        (tmp_path / name).write_text(text)
    a, b, c = (digest_of(str(tmp_path / name)) for name in "abc")
    assert a == b != c


def test_reading_ahead_gives_all_items_in_order_and_raises_what_making_them_raises() -> None:
    assert list(prefetched(range(50), 3)) == list(range(50))

    def broken() -> Any:
        yield 1
        raise Unfit("broken")

    items = prefetched(broken(), 2)
    assert next(items) == 1
    with pytest.raises(Unfit, match="broken"):
        next(items)


def test_reading_ahead_ends_with_who_reads() -> None:
    made = []

    def endless() -> Any:
        while True:
            made.append(0)
            yield 0

    items = prefetched(endless(), 2)
    next(items)
    items.close()  # type: ignore[attr-defined]
    count = len(made)
    assert count < 10
    assert len(made) == count
