"""Texts as hashed features, kept on disk so that a dataset may be larger than memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer

from djsandbox_sklearn.rows import Row
from djsandbox_sklearn.spec import FeatureSpec

HASHING_BATCH = 1024


def vectorizer_of(spec: FeatureSpec) -> HashingVectorizer:
    """The vectorizer of `spec`; it makes sparse float32 rows of unit length."""
    return HashingVectorizer(
        n_features=spec.n_features,
        ngram_range=spec.ngram_range,
        analyzer=spec.analyzer,
        alternate_sign=False,
        dtype=np.float32,
    )


class HashedRows:
    """The vectors of a dataset in three raw files of `folder`, read back through a memory map.

    In memory stay 12 bytes a row: where it begins, and its label as an index into `labels`.
    """

    def __init__(self, rows: Iterable[Row], spec: FeatureSpec, folder: Path) -> None:
        self.spec = spec
        self.labels: list[str] = []
        self._folder = folder
        self._starts = array("q", [0])
        self._codes = array("i")
        self._write(iter(rows))

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def codes(self) -> np.ndarray:
        """The label of each row, an index into `labels`."""
        return np.frombuffer(self._codes, dtype=np.int32) if len(self) else np.zeros(0, dtype=np.int32)

    def take(self, rows: np.ndarray) -> csr_matrix:
        """The vectors of `rows` (indices, in this order, repetitions allowed)."""
        starts = np.frombuffer(self._starts, dtype=np.int64)
        lengths = starts[rows + 1] - starts[rows]
        ends = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(ends[-1]) + np.repeat(starts[rows] - ends[:-1], lengths)
        shape = (len(rows), self.spec.n_features)
        if not len(places):
            return csr_matrix(shape, dtype=np.float32)
        columns = np.memmap(self._folder / "columns", dtype=np.int32, mode="r")
        values = np.memmap(self._folder / "values", dtype=np.float32, mode="r")
        # scikit-learn's SGD takes 32-bit indices only
        return csr_matrix((values[places], columns[places], ends.astype(np.int32)), shape=shape)

    def batches(self, size: int = HASHING_BATCH) -> Iterator[csr_matrix]:
        """All vectors, in order."""
        for start in range(0, len(self), size):
            yield self.take(np.arange(start, min(start + size, len(self))))

    def _write(self, rows: Iterator[Row]) -> None:
        vectorizer = vectorizer_of(self.spec)
        code_of: dict[str | None, int] = {}
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "columns").open("wb") as columns, (self._folder / "values").open("wb") as values:
            while batch := list(islice(rows, HASHING_BATCH)):
                matrix = vectorizer.transform([row.text for row in batch])
                columns.write(matrix.indices.astype(np.int32, copy=False).tobytes())
                values.write(matrix.data.astype(np.float32, copy=False).tobytes())
                self._starts.frombytes((self._starts[-1] + matrix.indptr[1:].astype(np.int64)).tobytes())
                self._codes.extend(code_of.setdefault(row.label, len(code_of)) for row in batch)
        self.labels = [label if label is not None else "" for label in code_of]
