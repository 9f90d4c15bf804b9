"""The worker of one training: `python -m djsandbox_sklearn.train_pool ORDER`, the order as JSON."""

from __future__ import annotations

import sys
from pathlib import Path

from djsandbox.errors import ComponentError, Position, SandboxError

from djsandbox_sklearn.features import HashedRows
from djsandbox_sklearn.rows import read_rows
from djsandbox_sklearn.scratch import scratch_folder
from djsandbox_sklearn.spec import TRAINING_KEYS, Manifest, TrainingOrder
from djsandbox_sklearn.training import TrainingSettings, train


def main(argv: list[str]) -> int:
    """Train as `argv` says; what the user can mend is printed, and the exit code is 1 then."""
    try:
        fulfil(TrainingOrder.model_validate_json(argv[0]))
    except SandboxError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


def fulfil(order: TrainingOrder) -> None:
    """Train the model of one data pool and write it to its folder."""
    with scratch_folder(Path(order.scratch)) as scratch:
        texts = read_rows(order.pool, text_key=order.text_key, label_key=order.label_key)
        rows = HashedRows(texts, order.features, scratch)
        if not len(rows):
            raise ComponentError("the data pool has no rows to train on", where=Position(order.pool))
        if len(rows.labels) == 1:
            warning = f"all rows of {order.pool} have the label '{rows.labels[0]}': the model will know no other"
            sys.stdout.write(f"WARNING {warning}\n")
        settings = TrainingSettings(**order.model_dump(include=set(TRAINING_KEYS)))

        def on_epoch(seed: int, epoch: int, loss: float) -> None:
            sys.stdout.write(f"[{order.name}] seed {seed} epoch {epoch} loss: {loss:.6f}\n")

        model = train(rows, settings, manifest_of(order, rows), on_epoch)
    model.save(Path(order.folder))


def manifest_of(order: TrainingOrder, rows: HashedRows) -> Manifest:
    """What the model says of itself: nothing of where its data lay."""
    return Manifest(
        name=order.name,
        text_key=order.text_key,
        label_key=order.label_key,
        features=order.features,
        labels=rows.labels,
        seeds=order.seeds,
        num_train_samples=len(rows),
        training=order.model_dump(include=set(TRAINING_KEYS)),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
