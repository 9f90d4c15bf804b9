"""The detector: a TorchScript network that gives a row of numbers for each frame or clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .problems import Unfit
from .reading import Frame


class Resize:
    """Makes frames [h, w, 3] those of the wanted size: bilinear between pixel centres, without smoothing, halves up.

    So does OpenCV by default, which long-video-gan resizes with; where a ratio is no whole number, they differ by 1 of 255.
    """

    def __init__(self, height: int, width: int) -> None:
        self._size = (height, width)

    def __call__(self, frame: Frame) -> Frame:
        """The frame in the wanted size."""
        if frame.shape[:2] == self._size:
            return frame
        import torch  # type: ignore[import-not-found]  # noqa: PLC0415 - only features that are not kept need it

        pixels = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].float()
        resized = torch.nn.functional.interpolate(pixels, size=self._size, mode="bilinear", align_corners=False)
        changed: Frame = (resized[0] + 0.5).clamp(0, 255).byte().permute(1, 2, 0).numpy()
        return changed


class Detector:
    """A loaded detector.

    Args:
        path: Its TorchScript file.
        arguments: What it is called with, beside the pictures.
        device: "auto", "cpu" or "cuda".
    """

    def __init__(self, path: str, arguments: Mapping[str, Any], device: str) -> None:
        import torch  # noqa: PLC0415

        has_gpu = torch.cuda.is_available()
        if device == "cuda" and not has_gpu:
            raise Unfit("'device' is cuda, and torch finds no GPU here: use 'device: auto', or a torch that is built for CUDA")
        self._torch = torch
        self._path, self._arguments = path, dict(arguments)
        self.device = "cuda" if has_gpu and device != "cpu" else "cpu"
        # Else convolutions on a GPU round to 10 bits, and values are not those of a CPU; StyleGAN-V's evaluation does the same.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        try:
            self._network = torch.jit.load(path, map_location=self.device).eval()
        except (RuntimeError, ValueError) as error:
            raise Unfit(f"{path} is no TorchScript file that torch {torch.__version__} can load: {_first(error)}") from error

    def __call__(self, clips: Sequence[Frame], *, are_frames: bool) -> NDArray[np.float32]:
        """Features [n, d] of clips [length, h, w, 3]; the detector sees [n, 3, h, w] or [n, 3, length, h, w], 0 to 255."""
        torch = self._torch
        pictures = torch.from_numpy(np.stack(clips)).to(self.device).permute(0, 4, 1, 2, 3)
        pictures = (pictures[:, :, 0] if are_frames else pictures).contiguous()
        try:
            with torch.inference_mode():
                features = self._network(pictures, **self._arguments)
        except torch.cuda.OutOfMemoryError as error:
            raise Unfit(f"the GPU's memory is too small for {len(clips)} at once: set a smaller 'batch_size'") from error
        except (RuntimeError, torch.jit.Error) as error:
            raise Unfit(f"the detector {self._path} failed on {tuple(pictures.shape)}: {_first(error)}") from error
        if not isinstance(features, torch.Tensor) or features.ndim != 2 or len(features) != len(clips):
            got = tuple(features.shape) if isinstance(features, torch.Tensor) else type(features).__name__
            raise Unfit(f"the detector {self._path} gave {got}, not a row of numbers for each of {len(clips)}")
        rows: NDArray[np.float32] = features.float().cpu().numpy()
        if not np.isfinite(rows).all():
            raise Unfit(f"the detector {self._path} gave numbers that are not finite")
        return rows


def _first(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines and lines[0].startswith("The following operation failed") else "".join(lines[:1]))[:400]
