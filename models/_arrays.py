"""Arrays by name in one file, on any filesystem of TensorFlow's; in those nobody can go back, as numpy does."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf


def save(path: str, arrays: Mapping[str, Any]) -> None:
    """Write a file, the whole of it or nothing: a kill leaves the one before or this one."""
    with tempfile.TemporaryFile() as whole, tf.io.gfile.GFile(f"{path}.unfinished", "wb") as file:
        np.savez(whole, **arrays)
        whole.seek(0)
        shutil.copyfileobj(whole, file)
    tf.io.gfile.rename(f"{path}.unfinished", path, overwrite=True)


@contextmanager
def loaded(path: str) -> Iterator[Mapping[str, np.ndarray]]:
    """Open what `save` wrote; an array is read when it is asked for.

    Raises:
        tf.errors.NotFoundError: there is no such file.
    """
    with tempfile.TemporaryFile() as whole:
        with tf.io.gfile.GFile(path, "rb") as file:
            shutil.copyfileobj(file, whole)
        whole.seek(0)
        with np.load(whole, allow_pickle=False) as arrays:
            yield arrays
