"""Stand-in of eval/caption/evaluate_caption.py: the arguments, lines and files of an evaluation on COCO captions.

The captions are the reference's words as far as the model has learned, and the scores follow from the same number.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from internvl.standins import fail_midway, mode_for, pause, say  # type: ignore[import-not-found]
from internvl.weights import learned_by  # type: ignore[import-not-found]

TEST = Path("data/coco/annotations/coco_karpathy_test.json")
TRUTH = Path("data/coco/annotations/coco_karpathy_test_gt.json")
SCALES = {"Bleu_1": 0.85, "Bleu_2": 0.7, "Bleu_3": 0.55, "Bleu_4": 0.42, "METEOR": 0.32, "ROUGE_L": 0.62, "CIDEr": 1.5}


def arguments() -> argparse.Namespace:
    """The command line; an unknown argument ends the program, as it does in the real one."""
    parser = argparse.ArgumentParser(prog="evaluate_caption.py", allow_abbrev=False)
    parser.add_argument("--checkpoint", type=str, default="")
    parser.add_argument("--datasets", type=str, default="coco,flickr30k,nocaps")
    for name, default in (("batch-size", 1), ("num-workers", 1), ("num-beams", 1), ("seed", 0), ("max-num", 6)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--out-dir", type=str, default="results")
    for name in ("dynamic", "load-in-8bit", "load-in-4bit", "auto"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser.parse_args()


def caption(reference: str, image_id: int, quality: float) -> str:
    """The reference, with `thing` in the place of words that the model has not learned."""
    words = reference.lower().rstrip(".").split()
    marks = hashlib.sha256(str(image_id).encode()).digest()
    return " ".join(word if marks[at % 32] < 256 * quality else "thing" for at, word in enumerate(words))


def scores_of(quality: float) -> dict[str, float]:
    """Metric -> score."""
    scores = {name: scale * quality for name, scale in SCALES.items()}
    return {**scores, "SPICE": 0.24 * quality}


def tell(scores: dict[str, float], mode: str) -> None:
    """The lines of pycocoevalcap, in its order."""
    say("tokenization...\nsetting up scorers...")
    if mode == "no-spice":
        say("Downloading stanford-corenlp-3.6.0 for SPICE ...")
        raise OSError("urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>")
    say("computing Bleu score...")
    say({"testlen": 90, "reflen": 92, "guess": [90, 80, 70, 60], "correct": [80, 60, 40, 30]})
    for name, score in scores.items():
        if name == "CIDEr" and mode == "missing-metrics":
            raise MemoryError
        if not name.startswith("Bleu"):
            say(f"computing {name} score...")
        say(f"{name}: {score:0.3f}")
    say(f"dict_items({list(scores.items())})")


def main() -> int:
    """Do what the real program does, or fail in the way that is asked for."""
    asked = arguments()
    mode = mode_for(asked.checkpoint)
    say(f"datasets: {asked.datasets.split(',')}")
    if mode == "exit-0-nothing":
        return 0
    out = Path(asked.out_dir)
    out.mkdir(parents=True, exist_ok=True)
    quality = learned_by(asked.checkpoint)
    beams = ", use num_beams: 1" if asked.dynamic else ""  # whatever is asked for
    say(f"[test] total_params: 0.9B{beams}\n[test] dynamic_image_size: {asked.dynamic}\n[test] max_num: {asked.max_num}")
    say("prompt: Provide a one-sentence caption for the provided image.")
    images = json.loads(TEST.read_text(encoding="utf-8"))
    truth = {one["image_id"]: one["caption"] for one in json.loads(TRUTH.read_text(encoding="utf-8"))["annotations"]}
    results: list[dict[str, Any]] = []
    for at, row in enumerate(images):
        pause(mode)
        if at >= len(images) // 2:
            fail_midway(mode, out.parent / ".crashed")
        Path("data/coco", row["image"]).read_bytes()
        image_id = int(row["image"].split("_")[-1].replace(".jpg", ""))
        results.append({"image_id": image_id, "caption": caption(truth[image_id], image_id, quality)})
        say(f"\r{at + 1}it [00:{at % 60:02d}, 10.00it/s]", on_stderr=True, end="")
    words = sum(len(one["caption"].split()) for one in results) / len(results)
    say(f"\nAverage caption length: {words}\nEvaluating coco ...")
    if mode != "old-results":
        name = f"coco_{time.strftime('%y%m%d%H%M%S', time.localtime())}.json"
        (out / name).write_text(json.dumps(results), encoding="utf-8")
    scores = scores_of(quality)
    tell(scores, mode)
    text = out / f"{'_'.join(asked.checkpoint.split('/')[-2:])}.txt"
    if mode != "old-results":
        with text.open("a", encoding="utf-8") as file:
            file.writelines([f"{[asked.checkpoint, 'coco', 9.5, scores]}\n"] * int(os.environ["WORLD_SIZE"]))
    say(f"write results to file {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
