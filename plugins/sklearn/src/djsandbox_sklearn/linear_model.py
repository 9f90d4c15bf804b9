"""The trained model and its folder: a JSON manifest and one .npz; nothing in it can run code when it is read."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from djsandbox.errors import ComponentError, Position
from scipy.sparse import csr_matrix

from djsandbox_sklearn.spec import MANIFEST, Manifest, read_manifest

WEIGHTS = "weights.npz"


@dataclass(frozen=True)
class LinearTextModel:
    """One linear classifier for each seed, over the same labels.

    `weights` has the shape (seeds, labels, active features) and `intercepts` (seeds, labels); `active` are the columns of
    the feature space that the training data has. All others weigh zero.
    """

    manifest: Manifest
    active: np.ndarray
    weights: np.ndarray
    intercepts: np.ndarray

    def probabilities(self, vectors: csr_matrix, seed_index: int) -> np.ndarray:
        """P(label | text), shape (rows, labels): the one-versus-rest sigmoids, made to sum to one."""
        dense = np.zeros((self.manifest.features.n_features, len(self.manifest.labels)), dtype=np.float32)
        dense[self.active] = self.weights[seed_index].T
        return one_versus_rest(vectors @ dense + self.intercepts[seed_index])

    def save(self, folder: Path) -> None:
        """Write the model's folder, whole or not at all; an older one is replaced."""
        partial = folder.with_name(f".{folder.name}.partial")  # no pool is named so
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with (partial / WEIGHTS).open("wb") as file:
            np.savez(file, active=self.active, weights=self.weights, intercepts=self.intercepts)
        (partial / MANIFEST).write_text(self.manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        partial.replace(folder)

    @classmethod
    def load(cls, path: str) -> LinearTextModel:
        """Read a model's folder; ComponentError where it is not one."""
        manifest = read_manifest(path)
        weights = Path(path) / WEIGHTS
        try:
            with np.load(weights, allow_pickle=False) as arrays:
                return cls(manifest, arrays["active"], arrays["weights"], arrays["intercepts"])
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ComponentError(f"the model cannot be read: {error}", where=Position(str(weights))) from error


def one_versus_rest(decision: np.ndarray) -> np.ndarray:
    """Sigmoid of each decision value, rows normalised to sum to one; computed in logs, so no row is lost to underflow."""
    log_sigmoid = -np.logaddexp(0.0, -decision.astype(np.float64))
    scaled = np.exp(log_sigmoid - log_sigmoid.max(axis=1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))
