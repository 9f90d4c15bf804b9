"""The stand-in's data: short videos with captions as Data-Juicer reads them, and prompts as VBench lists them."""

from __future__ import annotations

import json
from pathlib import Path

from djsandbox_easyanimate.testing.files import write_video

_SCENES = (
    "一只小猫在阳光下的窗台上安静地睡觉",
    "海浪轻轻拍打着金色的沙滩，天空中有几朵白云",
    "a dog runs across a green field",
    "一位老人坐在公园的长椅上读报纸，孩子们在旁边玩耍",
    "城市的夜晚灯火通明，车辆在高架桥上川流不息",
    "snow falls on a quiet village at night",
    "厨师在厨房里熟练地切着新鲜的蔬菜",
    "山间的小溪流过长满青苔的石头",
)
_DETAILS = ("", ", filmed by hand; 24 fps", ", seen from above, in soft light, the camera moves slowly to the left")
_PROMPTS = ("a cat plays the piano", "a red car on a mountain road", "waves at sunset, slow motion", "a person is reading")
_DIMENSIONS = ("subject_consistency", "dynamic_degree")
_SHORTEST = 10


def write_dataset(path: Path) -> None:
    """A JSON line for each of 24 videos beside it, of 10 to 33 seconds at one frame a second, with captions of all lengths."""
    videos = path.parent / "videos"
    videos.mkdir(parents=True, exist_ok=True)
    captions = [scene + detail for detail in _DETAILS for scene in _SCENES]
    with path.open("w", encoding="utf-8") as file:
        for at, caption in enumerate(captions):
            video = videos / f"{at}.mp4"
            write_video(str(video), caption, frames=_SHORTEST + at, fps=1)
            row = {"videos": [str(video)], "text": f"<__dj__video> {caption}"}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_prompts(path: Path) -> None:
    """A list of four prompts."""
    rows = [{"prompt_en": prompt, "dimension": _DIMENSIONS} for prompt in _PROMPTS]
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
