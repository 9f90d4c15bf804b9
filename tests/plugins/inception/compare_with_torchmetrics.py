"""Prints our values beside those of torchmetrics, and frames resized: `python compare_with_torchmetrics.py WORKER`."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance


class AsTheyAre(torch.nn.Module):
    """Features that are given instead of pictures."""

    num_features = 8

    def forward(self, rows):
        return rows


def frame(columns):
    """A row of pixels [1, columns, 3], of which red is as given, green half of it and blue 0."""
    return np.asarray([[[value, value // 2, 0] for value in columns]], dtype=np.uint8)


def package(folder):
    """The worker's modules, as `start.py` makes them."""
    spec = importlib.util.spec_from_file_location("worker", folder / "__init__.py", submodule_search_locations=[str(folder)])
    module = importlib.util.module_from_spec(spec)
    sys.modules["worker"] = module
    spec.loader.exec_module(module)


def main(folder):
    package(folder)
    from worker.detector import Resize
    from worker.frechet import frechet_distance, gaussian
    from worker.inception_score import inception_score
    from worker.kernel import polynomial_mmd

    random = np.random.default_rng(0)
    real = random.normal(size=(500, 8)) @ random.normal(size=(8, 8))
    fake = random.normal(size=(500, 8)) * 1.5 + 0.3
    pair = torch.from_numpy(real), torch.from_numpy(fake)
    fid = FrechetInceptionDistance(feature=AsTheyAre(), input_img_size=(8,)).set_dtype(torch.float64)
    kid = KernelInceptionDistance(feature=AsTheyAre(), subsets=1, subset_size=500).set_dtype(torch.float64)
    for metric in (fid, kid):
        metric.update(pair[0], real=True)
        metric.update(pair[1], real=False)
    score = InceptionScore(feature=AsTheyAre(), splits=1)
    score.update(pair[1])
    # torchmetrics divides a covariance by n - 1
    more = [(mean, covariance * 500 / 499) for mean, covariance in (gaussian(real), gaussian(fake))]
    print(
        json.dumps(
            {
                "frechet": [frechet_distance(*more), float(fid.compute())],
                "kernel": [polynomial_mmd(real, fake), float(kid.compute()[0])],
                "smaller": Resize(1, 2)(frame([0, 5, 20, 45, 80, 125, 180, 245])).tolist(),
                "larger": Resize(2, 4)(frame([0, 100])).tolist(),
                "score": [inception_score(torch.softmax(pair[1], dim=1).numpy()), float(score.compute()[0])],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
