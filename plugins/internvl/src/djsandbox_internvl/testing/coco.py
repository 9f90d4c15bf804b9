"""A very small COCO captions, in the files and formats of InternVL's data folder."""

from __future__ import annotations

import json
import random
import struct
import zlib
from pathlib import Path
from typing import Any

_THINGS = ("dog", "cat", "man", "woman", "train", "bicycle", "horse", "boat", "kite", "pizza")
_LOOKS = ("brown", "small", "old", "red", "young", "striped", "wooden")
_DOES = ("standing", "sitting", "waiting", "moving", "resting")
_PLACES = ("on a wide street", "in a green field", "near the water", "beside a brick wall", "under a large tree")
_CAPTIONS_AN_IMAGE = 5


def make_coco(chat: Path, images: int) -> None:
    """`data/coco` below `chat`: pictures, the training JSONL with its meta file, and the test split with its ground truth."""
    chance = random.Random(7)  # noqa: S311 - the same data every time
    coco = chat / "data" / "coco"
    annotations = coco / "annotations"
    annotations.mkdir(parents=True, exist_ok=True)
    num_test = max(1, images // 4)
    train = [_picture(coco, "train2014", at, chance) for at in range(images - num_test)]
    test = [_picture(coco, "val2014", 1000 + at, chance) for at in range(num_test)]
    rows = [
        {
            "image": image,
            "conversations": [
                {"from": "human", "value": "<image>\nProvide a one-sentence caption for the provided image."},
                {"from": "gpt", "value": caption},
            ],
        }
        for image, subject in train
        for caption in (_caption(subject, chance) for _ in range(_CAPTIONS_AN_IMAGE))
    ]
    chance.shuffle(rows)
    jsonl = annotations / "coco_karpathy_train_567k.jsonl"
    jsonl.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    meta = {"root": "data/coco/", "annotation": f"data/coco/annotations/{jsonl.name}", "data_augment": False}
    _dump(chat / "shell/data/coco_caption.json", {jsonl.stem: {**meta, "repeat_time": 1, "length": len(rows)}})
    _dump(annotations / "coco_karpathy_test.json", [{"image": image, "caption": []} for image, _ in test])
    _dump(annotations / "coco_karpathy_test_gt.json", _ground_truth(test, chance))


def _ground_truth(test: list[tuple[str, str]], chance: random.Random) -> dict[str, Any]:
    ids = [int(image.split("_")[-1].removesuffix(".jpg")) for image, _ in test]
    captions = [
        {"image_id": image_id, "caption": _sentence(subject, chance)}
        for image_id, (_, subject) in zip(ids, test, strict=True)
        for _ in range(_CAPTIONS_AN_IMAGE)
    ]
    numbered = [{**caption, "id": at} for at, caption in enumerate(captions)]
    return {"images": [{"id": one} for one in ids], "annotations": numbered, "type": "captions", "info": {}, "licenses": []}


def _caption(subject: str, chance: random.Random) -> str:
    """What people wrote: most of it good, some of it too short, some of it noise."""
    kind = chance.random()
    if kind < 0.2:
        return subject.rsplit(maxsplit=1)[-1]
    if kind < 0.4:
        return f"{subject} !!! {chance.randint(10**6, 10**7)} #photo #{chance.randint(100, 999)}"
    if kind < 0.5:
        return " ".join([_sentence(subject, chance)] * 3)
    return _sentence(subject, chance)


def _sentence(subject: str, chance: random.Random) -> str:
    return f"A {subject} {chance.choice(_DOES)} {chance.choice(_PLACES)}."


def _picture(coco: Path, split: str, number: int, chance: random.Random) -> tuple[str, str]:
    """Its path below the data folder, and what is on it."""
    name = f"{split}/COCO_{split}_{number:012d}.jpg"
    path = coco / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_png(chance.randint(8, 32), chance.randint(8, 32), chance.randbytes(3)))
    return name, f"{chance.choice(_LOOKS)} {chance.choice(_THINGS)}"


def _png(width: int, height: int, colour: bytes) -> bytes:
    """A picture of one colour; readers go by what is in a file, not by its name."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + colour * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _dump(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
