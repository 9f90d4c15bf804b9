"""The checkout of EasyAnimate: where it is, of which version, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

Version = Literal["legacy", "current"]

DEFAULT_HOME = "thirdparty/models/EasyAnimate"
"""Where the existing sandbox keeps it, under the current directory."""

NAME = "easyanimate"
"""The name of the repository in `homes` and `sources`."""

LEGACY_FILES = ("train_lora.sh", "train_lora.py", "infer_lora.sh", "infer_lora.py", "easyanimate/utils/IDDIM.py")
"""What the sandbox's patch adds to the old commit."""

LEGACY_PROOF = (*LEGACY_FILES, "config/easyanimate_video_motion_module_v1.yaml")
CURRENT_PROOF = (
    "scripts/train_lora.py",
    "predict_t2v.py",
    "config/easyanimate_video_v5.1_magvit_qwen.yaml",
    "easyanimate/pipeline/pipeline_easyanimate.py",
)
PROOF: dict[Version, tuple[str, ...]] = {"legacy": LEGACY_PROOF, "current": CURRENT_PROOF}

_LOADER = "easyanimate/data/dataset_video.py"


def home_of(given: str | None) -> str | None:
    """The user's checkout: the one given, else the one at the default place; None where there is neither."""
    return given or (DEFAULT_HOME if os.path.isdir(DEFAULT_HOME) else None)


def version_of(home: str | None) -> Version:
    """The version of a checkout by its files; without one, that for which the configs of the existing sandbox are written."""
    if home is None or any((Path(home) / name).exists() for name in LEGACY_FILES):
        return "legacy"
    return "current" if (Path(home) / CURRENT_PROOF[2]).exists() else "legacy"


def wrong_with(home: str, version: Version) -> Iterator[tuple[str, str]]:
    """What is wrong with a checkout that should be of `version`, each with its fix."""
    if not os.path.isdir(home):
        yield f"the folder of EasyAnimate, '{home}', does not exist", "give the folder of a checkout as easyanimate_home"
        return
    lacking = [name for name in PROOF[version] if not (Path(home) / name).exists()]
    other: Version = "current" if version == "legacy" else "legacy"
    if lacking and all((Path(home) / name).exists() for name in PROOF[other]):
        yield f"'{home}' is a checkout of the {other} version of EasyAnimate, not of the {version} one", f"version: {other}"
    elif lacking and version == "legacy" and len(lacking) < len(LEGACY_PROOF):
        message = f"'{home}' has only a part of the existing sandbox's patch: {', '.join(lacking)} not there"
        yield (
            message,
            "check out commit b54412c anew there, and apply the whole patch (its setup_easyanimate.sh gives up early)",
        )
    elif lacking:
        yield f"'{home}' is no checkout of EasyAnimate's {version} version: it has no {lacking[0]}", _GET[version]
    elif version == "legacy" and not _reads_videos(home):
        message = f"the patch is missing in '{home}/{_LOADER}': it does not read the key 'videos'"
        yield message, "check out commit b54412c anew there, and apply the whole patch"


_GET = {
    "legacy": "check out EasyAnimate's commit b54412c and apply the existing sandbox's patch; or version: current",
    "current": "leave easyanimate_home out, and it is cloned",
}


def _reads_videos(home: str) -> bool:
    try:
        text = (Path(home) / _LOADER).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "'videos'" in text or '"videos"' in text
