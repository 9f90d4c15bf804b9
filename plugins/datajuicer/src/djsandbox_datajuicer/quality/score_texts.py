"""Scores the texts of a dataset with Data-Juicer's quality classifier; run by its path, where djsandbox need not be."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

QUANTILES = {"min": 0.0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "max": 1.0}
_TIMEOUT = 20.0  # seconds without an answer
_BINS = 10


class Unfit(Exception):
    """Something that the user can mend; the message says how."""


def main() -> int:
    """Score, and write the distribution of the scores as JSON."""
    options = _parser().parse_args()
    try:
        for link, target in options.download:
            fetch(link, Path(target))
        result = score(options)
    except Unfit as error:
        sys.stderr.write(f"{error}\n")
        return 1
    draft = Path(f"{options.output}.draft")
    draft.write_text(json.dumps(result), encoding="utf-8")
    draft.replace(options.output)
    return 0


def fetch(link: str, target: Path) -> None:
    """Download a model to its place in Data-Juicer's cache: a file, or a folder in a zip."""
    draft = target.with_name(f"{target.name}.{os.getpid()}.draft")
    target.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"downloading {link}\n")
    sys.stdout.flush()
    try:
        with urllib.request.urlopen(link, timeout=_TIMEOUT) as answer, draft.open("wb") as file:  # noqa: S310 - ours
            while block := answer.read(1 << 20):
                file.write(block)
        if link.endswith(".zip"):
            _extract(draft, target)
        else:
            draft.replace(target)
    except (OSError, zipfile.BadZipFile) as error:
        reason = getattr(error, "reason", error)
        raise Unfit(
            f"the model cannot be downloaded from {link} ({reason}): put it to {target} yourself, or name a model of your own; "
            "the data evaluator sklearn_text_classifier needs neither it nor Java"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _extract(archive: Path, target: Path) -> None:
    """Put the folder of that name in an archive to `target`: whole or not at all."""
    with tempfile.TemporaryDirectory(prefix=f"{target.name}.", dir=target.parent) as folder:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        shutil.rmtree(target, ignore_errors=True)  # what an extraction that was ended left
        (Path(folder) / target.name).replace(target)


def score(options: argparse.Namespace) -> dict[str, Any]:
    """The distribution of the scores, each P(the text is of high quality)."""
    from data_juicer.tools.quality_classifier import qc_utils as classifier  # noqa: PLC0415 - heavy
    from pyspark.sql import SparkSession  # noqa: PLC0415 - heavy
    from pyspark.sql.functions import col  # noqa: PLC0415 - heavy

    os.environ["PYSPARK_PYTHON"] = sys.executable  # otherwise the first python3 there is
    builder = SparkSession.builder.master(f"local[{options.cores}]").appName("quality")
    settings = {"spark.driver.memory": options.memory, "spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1"}
    for name, value in {**settings, "spark.driver.bindAddress": "127.0.0.1"}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    try:
        dataset = classifier.load_dataset(spark, options.dataset)  # by its own name, as there may be another called `text`
        if options.text_key not in dataset.columns:
            raise Unfit(f"{options.dataset} has no column '{options.text_key}': it has {', '.join(dataset.columns) or 'none'}")
        texts = dataset.select(col(f"`{options.text_key}`").cast("string").alias("text")).cache()
        rows = texts.count()
        present = texts.filter(col("text").isNotNull())
        model = classifier.prepare_model(options.model)
        scored = classifier.predict(model, present, tokenizer=options.tokenizer, keep_method="label")
        found = [row["doc_score"] for row in scored.select("doc_score").toLocalIterator()]
    finally:
        spark.stop()
    scores = [value for value in found if value is not None]
    if not scores:
        raise Unfit(f"{options.dataset} has no text under '{options.text_key}' in any of its {rows} rows")
    return {**distribution(scores), "num_without_text": rows - len(scores)}


def distribution(scores: list[float]) -> dict[str, Any]:
    """Mean, standard deviation, quantiles and a histogram of scores in [0, 1]."""
    import numpy as np  # noqa: PLC0415 - heavy

    values = np.asarray(scores)
    counts, edges = np.histogram(values, bins=_BINS, range=(0.0, 1.0))
    return {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "num_samples": len(scores),
        **{name: float(np.quantile(values, share)) for name, share in QUANTILES.items()},
        "histogram": [[float(edge), int(count)] for edge, count in zip(edges[:-1], counts, strict=True)],
        "width": 1 / _BINS,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("dataset", "output", "text-key", "model", "memory", "cores"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--tokenizer")
    parser.add_argument("--download", nargs=2, action="append", default=[], metavar=("LINK", "TARGET"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
