"""The networks that look at frames and clips, and where their files are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "DJSANDBOX_DETECTORS"


@dataclass(frozen=True, slots=True)
class Detector:
    """A published TorchScript file.

    Args:
        file: The name it is published by.
        url: Where it is published.
        shows: What it was trained on, for people.
        sha256: Of its content, where people have published that.
    """

    file: str
    url: str
    shows: str
    sha256: str | None = None


_NVIDIA = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics"

INCEPTION = Detector(
    "inception-2015-12-05.pt",
    f"{_NVIDIA}/inception-2015-12-05.pt",
    "Inception-v3 on ImageNet",
    # as k-diffusion checks it, and others
    "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
)
VGG16 = Detector("vgg16.pt", f"{_NVIDIA}/vgg16.pt", "VGG-16 on ImageNet")
I3D = Detector(
    "i3d_torchscript.pt",
    "https://www.dropbox.com/s/ge9e5ujwgetktms/i3d_torchscript.pt?dl=1",
    "I3D on Kinetics-400",
    # of the file on Dropbox and of its copies on Hugging Face
    "bec6519f66ea534e953026b4ae2c65553c17bf105611c746d904657e5860a5e2",
)
C3D = Detector("c3d_ucf101.pt", "https://www.dropbox.com/s/jxpu7avzdc9n97q/c3d_ucf101.pt?dl=1", "C3D on UCF-101")


def cache_folder() -> Path:
    """Where detectors are kept that are not named by `detector_path`: DJSANDBOX_DETECTORS, else in the user's cache."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"
    return base / "djsandbox" / "detectors"
