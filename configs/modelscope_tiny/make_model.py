"""Makes a tiny text classifier, in the form of ModelScope's models: `python make_model.py FOLDER`, in its environment.

A BERT of two layers with random weights and a vocabulary of 19 words, which trains in seconds on a CPU; nothing is downloaded.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*SPECIAL, "a", "the", "film", "story", "end", "was", "and", "good", "fine", "great", "bad", "poor", "awful", "very"]
LABELS = {"negative": 0, "positive": 1}

CONFIGURATION: dict[str, Any] = {
    "framework": "pytorch",
    "task": "text-classification",
    "model": {"type": "bert"},
    "preprocessor": {
        "type": "sen-cls-tokenizer",
        "first_sequence": "text",
        "label": "label",
        "label2id": LABELS,
        "max_length": 16,
    },
    "train": {
        "dataloader": {"batch_size_per_gpu": 4, "workers_per_gpu": 0},
        "optimizer": {"type": "AdamW", "lr": 0.001},
        "lr_scheduler": {"type": "ConstantLR", "factor": 1.0},
    },
    "evaluation": {"metrics": "seq-cls-metric"},
    "pipeline": {"type": "text-classification"},
}


def make(folder: Path) -> None:
    """Write weights, tokenizer and configuration.json."""
    import torch  # noqa: PLC0415 - heavy, and only in ModelScope's environment
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer  # noqa: PLC0415

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in WORDS), encoding="utf-8")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(WORDS), max_position_embeddings=64, num_labels=len(LABELS), **sizes)
    # ModelScope's own models are read from a pytorch_model.bin.
    BertForSequenceClassification(config).save_pretrained(folder, safe_serialization=False)
    (folder / "configuration.json").write_text(json.dumps(CONFIGURATION, indent=2), encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
