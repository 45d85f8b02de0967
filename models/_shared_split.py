"""A split that one process transforms and others read: the workers of a search, and one that goes on after a kill.

Whoever starts several processes makes a folder for it; without the folder, everyone transforms for himself.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from models._inputs import Split

# In the tuner's working directory.
FOLDER = "splits"


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
    if folder.parent.is_dir() and split.columns is not None and _are_numbers(split):
        _save(split, folder)
    return split


def _are_numbers(split: Split) -> bool:
    assert split.columns is not None, "asked for splits in memory only"
    features, label = split.columns
    return all(column.dtype != object for column in [*features.values(), label])


def _save(split: Split, folder: Path) -> None:
    """Write one file per column; the folder has its name only when it is whole."""
    assert split.columns is not None, "asked for splits in memory only"
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    features, label = split.columns
    for number, column in enumerate([label, *features.values()]):
        np.save(unfinished / f"{number}.npy", column, allow_pickle=False)
    (unfinished / "names.json").write_text(json.dumps(list(features)), encoding="utf-8")
    os.replace(unfinished, folder)


def _load(folder: Path) -> Split:
    names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    # Mapped, not read: all processes look at the same memory.
    label, *columns = (np.load(folder / f"{number}.npy", mmap_mode="r") for number in range(len(names) + 1))
    features = dict(zip(names, columns, strict=True))

    def whole() -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        yield features, label

    signature = tf.nest.map_structure(lambda c: tf.TensorSpec((None, *c.shape[1:]), c.dtype), (features, label))
    blocks = tf.data.Dataset.from_generator(whole, output_signature=signature)
    return Split(blocks, (features, label), len(label))
