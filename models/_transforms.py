"""The transforms of a table's columns, in as few passes of tf.Transform as there are kinds of statistics.

Each analyzer costs the same hundreds of Beam stages whatever its data; columns that need the same statistic share one.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from models import _raw, _vocabularies

MISSING_TOKEN = "<missing>"
# A quantile is off by at most this share of the rows.
QUANTILE_ERROR = 0.01
Columns = dict[str, tf.Tensor]
Plan = Mapping[str, Sequence[Mapping[str, Any]]]


def transformed(columns: Mapping[str, tf.Tensor], plan: Plan) -> Columns:
    """Apply each column's transforms.

    Args:
        columns: raw vectors [n] by name, missing values marked as `models/_raw.py` says.
        plan: by column, the transforms; without one, text gets a vocabulary and a number a z-score.

    Returns:
        numbers float32 [n] and ids int64 [n], by name: `<column>_<zscore|log|bucket|id>`.
    """
    numbers: Columns = {}
    by_count: dict[int, Columns] = defaultdict(dict)
    texts: Columns = {}
    options: dict[str, Mapping[str, Any]] = {}
    outputs: Columns = {}
    for name, values, transform in _pairs(columns, plan):
        kind = transform["kind"]
        if kind == "vocabulary":
            texts[name], options[name] = as_text(values), transform
        elif kind == "bucketize":
            by_count[transform.get("buckets", 10)][f"{name}_bucket"] = _known(values)
        else:
            numbers[f"{name}_{kind}"] = _log(_known(values)) if kind == "log" else _known(values)
    for count, group in by_count.items():
        outputs |= _buckets(group, count)
    return outputs | _ids(texts, options) | _z_scores(numbers)


def as_text(values: tf.Tensor) -> tf.Tensor:
    """Return strings [n] for a vocabulary; a missing value becomes a word of its own."""
    text = values if values.dtype == tf.string else tf.strings.as_string(values)
    return tf.where(_raw.is_missing(values), MISSING_TOKEN, text)


def _pairs(columns: Mapping[str, tf.Tensor], plan: Plan) -> Iterator[tuple[str, tf.Tensor, Mapping[str, Any]]]:
    for name, values in columns.items():
        default = [{"kind": "vocabulary" if values.dtype == tf.string else "zscore"}]
        yield from ((name, values, transform) for transform in plan.get(name, default))


def _known(values: tf.Tensor) -> tf.Tensor:
    """Return float64 [n], NaN where a value is missing; float64, since float32 cannot tell two timestamps apart."""
    if values.dtype == tf.string:
        raise ValueError("a text column can only get a vocabulary")
    numbers = tf.cast(values, tf.float64)
    return tf.where(_raw.is_missing(values), tf.constant(float("nan"), tf.float64), numbers)


def _log(numbers: tf.Tensor) -> tf.Tensor:
    return tf.sign(numbers) * tf.math.log1p(tf.abs(numbers))


def _ids(texts: Columns, options: Mapping[str, Mapping[str, Any]]) -> Columns:
    """Return the place of each word in its column's vocabulary; a word that is not in it gets a bucket behind."""
    if not texts:
        return {}
    files = _vocabularies.vocabulary_files(texts, options, MISSING_TOKEN)
    return {
        f"{name}_id": tft.apply_vocabulary(text, files[name], num_oov_buckets=options[name].get("oov_buckets", 1))
        for name, text in texts.items()
    }


def _z_scores(columns: Columns) -> Columns:
    """Return (x - mean) / standard deviation over the known values; 0, the mean, where one is missing."""
    if not columns:
        return {}
    x = tf.stack(list(columns.values()), axis=1)
    missing = tf.math.is_nan(x)
    known = tf.where(missing, tf.zeros_like(x), x)
    moments = tf.stack([tf.cast(~missing, tf.float64), known, known * known], axis=1)
    count, total, squares = tf.unstack(tft.sum(moments, reduce_instance_dims=False))
    mean = total / tf.maximum(count, 1)
    variance = tf.maximum(squares / tf.maximum(count, 1) - mean * mean, 0)
    deviation = tf.where(variance > 0, tf.sqrt(variance), tf.ones_like(variance))
    scaled = tf.cast(tf.where(missing, tf.zeros_like(x), (x - mean) / deviation), tf.float32)
    return dict(zip(columns, tf.unstack(scaled, num=len(columns), axis=1), strict=True))


def _buckets(columns: Columns, count: int) -> Columns:
    """Return the number of the quantile bucket of each value; a missing one shares the bucket of 0."""
    x = tf.cast(tf.stack(list(columns.values()), axis=1), tf.float32)
    boundaries = tft.quantiles(x, count, epsilon=QUANTILE_ERROR, reduce_instance_dims=False)
    known = tf.where(tf.math.is_nan(x), tf.zeros_like(x), x)
    return {name: tft.apply_buckets(known[:, i], boundaries[i : i + 1]) for i, name in enumerate(columns)}
