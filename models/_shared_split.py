"""A split that one process transforms and others read: the workers of a search, and one that goes on after a kill.

Whoever starts several processes makes a folder for it; without the folder, everyone transforms for himself.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from models._inputs import Split

# In the tuner's working directory.
FOLDER = "splits"
FACTS = "split.json"


def shared(working_dir: str, name: str, read: Callable[[], Split]) -> Split:
    """Return a split from the working directory's folder of splits, and put it there if it is not yet.

    Args:
        working_dir: may have a folder `splits`.
        name: of the split.
        read: transforms it.
    """
    folder = Path(working_dir, FOLDER, name)
    if folder.is_dir():
        return _load(folder)
    split = read()
    if folder.parent.is_dir() and split.columns is not None and _are_numbers(split.columns):
        _save(split, split.columns, folder)
    return split


def _are_numbers(columns: Mapping[str, np.ndarray]) -> bool:
    return all(column.dtype != object for column in columns.values())


def _save(split: Split, columns: Mapping[str, np.ndarray], folder: Path) -> None:
    """Write one file per column; the folder has its name only when it is whole."""
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for number, column in enumerate([split.label, *columns.values()]):
        np.save(unfinished / f"{number}.npy", column, allow_pickle=False)
    facts = {"names": list(columns), "block_rows": split.block_rows}
    (unfinished / FACTS).write_text(json.dumps(facts), encoding="utf-8")
    os.replace(unfinished, folder)


def _load(folder: Path) -> Split:
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    # Mapped, not read: all processes look at the same memory.
    label, *columns = (np.load(folder / f"{number}.npy", mmap_mode="r") for number in range(len(facts["names"]) + 1))
    features = dict(zip(facts["names"], columns, strict=True))

    def whole() -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        yield features, label

    signature = tf.nest.map_structure(lambda c: tf.TensorSpec((None, *c.shape[1:]), c.dtype), (features, label))
    blocks = tf.data.Dataset.from_generator(whole, output_signature=signature)
    return Split(blocks, features, label, facts["block_rows"])
