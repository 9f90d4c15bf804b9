"""Makes detectors for tests: `python make_detectors.py FOLDER`, in an environment with torch.

Small networks that take the same arguments as the published ones, under their names. A feature is the mean of a colour over a
quarter of the picture; a class probability is the softmax of the mean colours.
"""

import sys
from pathlib import Path

import torch


class Frames(torch.nn.Module):
    """As inception-2015-12-05.pt and vgg16.pt: [n, 3, h, w] of bytes -> features [n, 12] or probabilities [n, 3]."""

    def forward(
        self, img: torch.Tensor, return_features: bool = False, use_fp16: bool = False, no_output_bias: bool = False
    ) -> torch.Tensor:
        assert img.dtype == torch.uint8
        pictures = img.float()
        if return_features:
            return torch.nn.functional.adaptive_avg_pool2d(pictures, [2, 2]).flatten(1) / 16
        logits = pictures.mean(dim=[2, 3]) / 16
        return torch.softmax(logits if no_output_bias else logits + 1, dim=1)


class Clips(torch.nn.Module):
    """As i3d_torchscript.pt: [n, 3, t, h, w] -> features [n, 6], the colours of the first and of the last frame."""

    def forward(
        self, x: torch.Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False
    ) -> torch.Tensor:
        assert rescale and resize and return_features and x.dtype == torch.uint8
        colours = x.float().mean(dim=[3, 4]) / 16
        return torch.cat([colours[:, :, 0], colours[:, :, -1]], dim=1)


class Classes(torch.nn.Module):
    """As c3d_ucf101.pt: [n, 3, t, h, w] -> probabilities [n, 3]."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.size(2) == 16
        return torch.softmax(x.float().mean(dim=[2, 3, 4]) / 16, dim=1)


def main(folder: Path) -> None:
    """Save all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, network in {
        "inception-2015-12-05.pt": Frames(),
        "vgg16.pt": Frames(),
        "i3d_torchscript.pt": Clips(),
        "c3d_ucf101.pt": Classes(),
    }.items():
        torch.jit.script(network).save(str(folder / name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
