"""How TensorFlow computes: reproducibly or not, in which precision, on which devices."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf


def begin(training: Mapping[str, Any]) -> None:
    """Seed everything that draws numbers; `deterministic` has TensorFlow add in the same order every time."""
    keras.utils.set_random_seed(training["seed"])
    if training["deterministic"]:
        tf.config.experimental.enable_op_determinism()


@contextmanager
def at_work(training: Mapping[str, Any]) -> Iterator[None]:
    """Have a network that is built and compiled inside compute in the config's precision on its devices.

    Its weights are float32 in every precision.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(training["precision"])
    try:
        with strategy(training["strategy"]).scope():
            yield
    finally:
        keras.config.set_dtype_policy(before)


def is_plain(training: Mapping[str, Any]) -> bool:
    """Return whether a network that is built elsewhere computes just as one that is built in `at_work`."""
    return training["precision"] == "float32" and not _is_mirrored(training["strategy"])


def strategy(name: str) -> tf.distribute.Strategy:
    """Return what spreads a model over devices.

    Args:
        name: one leaves it where it is; mirrored copies it to every GPU, or to the CPU where there is none; auto is
            mirrored on several GPUs, and one elsewhere.
    """
    return tf.distribute.MirroredStrategy() if _is_mirrored(name) else tf.distribute.get_strategy()


def _is_mirrored(name: str) -> bool:
    return name == "mirrored" or (name == "auto" and len(tf.config.list_physical_devices("GPU")) > 1)
