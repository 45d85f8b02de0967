"""tf.data over the raw examples, transformed by the same graph that serves.

Examples are parsed and transformed a block at a time, once. A split that fits in memory is then kept as columns, and a
batch is one gather per column; a larger one streams from disk in every epoch.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from models import _raw
from models._transform_graph import TransformGraph

BLOCK_ROWS = 4096
# Of one block after the transform, which a picture fills sooner than a row of a table.
BLOCK_BYTES = 8 << 20
# Of a split after the transform, as it is kept.
IN_MEMORY_BYTES = 1 << 30
OPEN_FILES = 16
SHUFFLE_ROWS = 100_000
SHUFFLE_BYTES = 256 << 20
# Among so many rows of the eval split, those to show to people are found.
LOOK_AT_ROWS = 256
# Among the features, the weight of a row; no feature has such a name.
WEIGHT = "sample weight"

Batch = tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]
# From transformed features to the types in which they are kept, for instance pixels as uint8.
Compact = Callable[[Mapping[str, tf.Tensor]], dict[str, tf.Tensor]]


@dataclass(frozen=True)
class Split:
    """One split, transformed.

    Attributes:
        blocks: a dataset of (features, label), in blocks of `block_rows` rows: features by name [n, ...], label [n].
            Among the features may be `WEIGHT` [n], which no network gets.
        columns: all features of the split by name, [rows, ...], or None where it streams.
        label: of every row, [rows].
        block_rows: so many rows take part in one computation without regard to memory.
    """

    blocks: tf.data.Dataset
    columns: dict[str, np.ndarray] | None
    label: np.ndarray
    block_rows: int

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self.label)

    def batches(self, batch_size: int, *, weights: np.ndarray | None = None) -> tf.data.Dataset:
        """Return (features, label, weight) in batches, in the order of the files.

        Args:
            batch_size: rows in a batch; the last one may be smaller.
            weights: float [classes], the weight of a row by its label, times its own; None weighs all classes 1.
        """
        return self._weighted(self._rows(None).batch(batch_size), weights)

    def epochs(
        self, batch_size: int, epochs: range, seed: int, *, weights: np.ndarray | None = None
    ) -> tf.data.Dataset:
        """Return (features, label, weight) in the batches of several epochs, one epoch after the other.

        Args:
            batch_size: rows in a batch; the last one of an epoch may be smaller.
            epochs: their numbers. The order of rows follows from seed and number, not from the epochs before.
            seed: of the order.
            weights: float [classes], the weight of a row by its label, times its own; None weighs all classes 1.
        """
        numbers = tf.data.Dataset.range(epochs.start, epochs.stop)
        return self._weighted(numbers.flat_map(lambda epoch: self._rows(seed + epoch).batch(batch_size)), weights)

    def _rows(self, seed: tf.Tensor | None) -> tf.data.Dataset:
        """Return the rows of one epoch, or of a split in memory their numbers; shuffled where there is a seed."""
        if self.columns is None:
            rows, in_reach = self.blocks.unbatch(), min(SHUFFLE_ROWS, SHUFFLE_BYTES * self.block_rows // BLOCK_BYTES)
        else:
            rows, in_reach = tf.data.Dataset.range(self.rows), self.rows
        return rows if seed is None else rows.shuffle(in_reach, seed=seed)

    def _weighted(self, batches: tf.data.Dataset, weights: np.ndarray | None) -> tf.data.Dataset:
        """Return (features, label, weight), given batches of what `_rows` returns."""
        if self.columns is not None:
            columns = {name: tf.constant(column) for name, column in self.columns.items()}, tf.constant(self.label)
            batches = batches.map(lambda i: tf.nest.map_structure(lambda column: tf.gather(column, i), columns))
        return batches.map(lambda x, y: (x, y, x.pop(WEIGHT, 1.0) * _weight(y, weights))).prefetch(tf.data.AUTOTUNE)


def read_split(
    patterns: list[str], graph: TransformGraph, label: str, compact: Compact = dict, weight: str | None = None
) -> Split:
    """Read the gzipped TFRecord files of a split.

    Args:
        patterns: globs of the files of raw tf.Examples.
        graph: the transform graph to apply.
        label: the transformed feature that is the label.
        compact: how features are kept.
        weight: the raw column that weighs rows; None weighs all 1.

    Raises:
        ValueError: the split has no rows, one without a label that can be learned or without a weight, or a picture
            that is none.
    """
    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    block_rows = max(1, min(BLOCK_ROWS, BLOCK_BYTES // graph.row_bytes))
    blocks = _blocks(files, graph, label, compact, block_rows, weight)
    kept: list[Mapping[str, np.ndarray]] | None = []
    labels, size = [], 0
    for features, ids in _readable(blocks, patterns):
        labels.append(ids)
        _require_weights(features, weight)
        size += sum(values.nbytes for values in features.values())
        # A picture's file says nothing of its size in memory, so that is counted while there is still room for it.
        if size > IN_MEMORY_BYTES:
            kept = None
        elif kept is not None:
            kept.append(features)
    if not labels:
        raise ValueError(f"the split has no rows, got {patterns}; give more data or other split ratios")
    all_labels = _labelled(np.concatenate(labels), patterns)
    columns = None if kept is None else {name: np.concatenate([x[name] for x in kept]) for name in kept[0]}
    return Split(blocks, columns, all_labels, block_rows)


def telling_examples(patterns: list[str], count: int) -> list[bytes]:
    """Return serialized tf.Examples from the beginning of a split to show to people, at most `count`.

    They are those with the fewest missing values, and one with the most.
    """
    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    records: Iterator[Any] = _records(files).take(LOOK_AT_ROWS).as_numpy_iterator()
    fullest = sorted(records, key=lambda record: -len(tf.train.Example.FromString(record).features.feature))
    return fullest[: count - 1] + fullest[count - 1 :][-1:]


def balanced_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return float32 [classes]: weights that make every class count the same in total, with mean 1 over the rows."""
    counts = np.bincount(labels.astype(np.int64), minlength=classes)
    return (len(labels) / (classes * np.maximum(counts, 1))).astype(np.float32)


def _blocks(
    files: list[str], graph: TransformGraph, label: str, compact: Compact, block_rows: int, weight: str | None
) -> tf.data.Dataset:
    if weight is not None and graph.raw_feature_spec[weight].dtype == tf.string:
        raise ValueError(f"training.sample_weight: a weight is a number, got text in {weight!r}; name another column")

    @tf.autograph.experimental.do_not_convert  # there is nothing to convert, and AutoGraph would read all of TFT
    def transformed(serialized: tf.Tensor) -> tuple[Mapping[str, tf.Tensor], tf.Tensor]:
        raw = tf.io.parse_example(serialized, graph.raw_feature_spec)
        features = graph(raw)
        found = features.pop(label)
        weights = {WEIGHT: tf.cast(_raw.as_columns(raw, [weight])[weight], tf.float32)} if weight else {}
        return compact(features) | weights, found

    return _records(files).batch(block_rows).map(transformed)


def _records(files: list[str]) -> tf.data.Dataset:
    """Return the records of files in turns: files may be sorted by class or time, and shuffling reaches only so far."""
    names = tf.data.Dataset.from_tensor_slices(tf.constant(files, tf.string))
    return names.interleave(
        lambda file: tf.data.TFRecordDataset(file, "GZIP"), cycle_length=OPEN_FILES, deterministic=True
    )


def _readable(blocks: tf.data.Dataset, patterns: list[str]) -> Iterator[Any]:
    try:
        yield from blocks.as_numpy_iterator()
    except tf.errors.InvalidArgumentError as error:
        reason = error.message.split("\n")[0].rpartition("}} ")[2]
        raise ValueError(f"a row cannot be transformed, got {reason} in {patterns}; take it out of the data") from error


def _require_weights(features: Mapping[str, np.ndarray], column: str | None) -> None:
    """Raise ValueError when a row of a block has no weight, or one that is none."""
    if column is not None and (bad := ~(np.isfinite(features[WEIGHT]) & (features[WEIGHT] >= 0))).any():
        raise ValueError(
            f"training.sample_weight: {bad.sum()} of {len(bad)} rows have no weight in {column!r}, or one below 0, got "
            f"{features[WEIGHT][bad][0]:g}; give every row a number, 0 leaves it out"
        )


def _weight(label: tf.Tensor, weights: np.ndarray | None) -> tf.Tensor:
    if weights is None:
        return tf.ones_like(label, tf.float32)
    return tf.gather(tf.constant(weights), tf.cast(label, tf.int64))


def _labelled(labels: np.ndarray, patterns: list[str]) -> np.ndarray:
    """Return the labels; raise ValueError when one is no number, or no class that is known."""
    bad = ~np.isfinite(labels) if labels.dtype.kind == "f" else labels < 0
    if bad.any():
        raise ValueError(
            f"label: {bad.sum()} of {len(labels)} rows have none, or one that is no class, got {patterns}; "
            "give every row a label, and list every class in label.classes"
        )
    return labels
