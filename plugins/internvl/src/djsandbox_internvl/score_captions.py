"""Scores captions with pycocoevalcap's scorers: `CAPTIONS GROUND_TRUTH SCORES`, in the environment that has pycocoevalcap.

Runs by itself under Python 3.9 or later. The class of pycocoevalcap that does all of this also makes SPICE, which loads a
program from the network before any score is computed; so the tokenizer and the other scorers are called here. Java is needed.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main(arguments: list[str]) -> int:
    """Print each score and write them as one JSON object; 1 with a message where the captions cannot be scored."""
    captions_path, truth_path, scores_path = arguments
    try:
        captions, references = read(captions_path, truth_path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"cannot score the captions: {type(error).__name__}: {error}\n")
        return 1
    scores = score(captions, references)
    part = f"{scores_path}.part"
    with open(part, "w", encoding="utf-8") as file:
        json.dump(scores, file)
    os.replace(part, scores_path)
    return 0


def read(captions_path: str, truth_path: str) -> tuple[dict[int, list[Any]], dict[int, list[Any]]]:
    """Image -> its one caption, and image -> its references; ValueError where they do not fit together."""
    with open(captions_path, encoding="utf-8") as file:
        rows = json.load(file)
    with open(truth_path, encoding="utf-8") as file:
        truth = json.load(file)
    references: dict[int, list[Any]] = {}
    for annotation in truth["annotations"]:
        references.setdefault(int(annotation["image_id"]), []).append({"caption": str(annotation["caption"])})
    captions: dict[int, list[Any]] = {}
    for row in rows:
        captions.setdefault(int(row["image_id"]), [{"caption": str(row["caption"])}])
    missing, unknown = sorted(set(references) - set(captions)), sorted(set(captions) - set(references))
    if missing:
        raise ValueError(f"{captions_path} has no caption for {len(missing)} images of {truth_path}, such as {missing[0]}")
    if unknown:
        raise ValueError(f"{captions_path} has {len(unknown)} images that {truth_path} does not know, such as {unknown[0]}")
    if not captions:
        raise ValueError(f"{captions_path} has no captions")
    return captions, references


def score(captions: dict[int, list[Any]], references: dict[int, list[Any]]) -> dict[str, float]:
    """Metric -> score, with the scorers and the tokenizer of pycocoevalcap, which only the environment has."""
    from pycocoevalcap.bleu.bleu import Bleu  # type: ignore[import-not-found]  # noqa: PLC0415
    from pycocoevalcap.cider.cider import Cider  # type: ignore[import-not-found]  # noqa: PLC0415
    from pycocoevalcap.meteor.meteor import Meteor  # type: ignore[import-not-found]  # noqa: PLC0415
    from pycocoevalcap.rouge.rouge import Rouge  # type: ignore[import-not-found]  # noqa: PLC0415
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer  # type: ignore[import-not-found]  # noqa: PLC0415

    say("tokenization...")
    tokenizer = PTBTokenizer()
    gts, res = tokenizer.tokenize(references), tokenizer.tokenize(captions)
    scores: dict[str, float] = {}
    for scorer, names in ((Bleu(4), ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4"]), (Meteor(), ["METEOR"])):
        note(scores, names, scorer.compute_score(gts, res)[0])
    note(scores, ["ROUGE_L"], Rouge().compute_score(gts, res)[0])
    note(scores, ["CIDEr"], Cider().compute_score(gts, res)[0])
    return scores


def note(scores: dict[str, float], names: list[str], values: Any) -> None:
    """Keep and print the values of one scorer."""
    for name, value in zip(names, values if isinstance(values, list) else [values]):  # noqa: B905 - Python 3.9
        scores[name] = float(value)
        say(f"{name}: {float(value):0.3f}")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
