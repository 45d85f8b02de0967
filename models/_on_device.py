"""The transforms of a table in the operations that TFLite has: no strings from numbers, no doubles, no files.

The same arithmetic as `_transforms.py` on the same learned statistics, from the same raw columns to the same features;
`components/_tflite.py` compares the two on the whole eval split.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from models import _dates, _export, _labels, _raw, _transforms, _wanted
from models._transform_graph import TransformGraph, feature_spec


def for_phones(graph: TransformGraph, transform: tft.TFTransformOutput, config: Mapping[str, Any]) -> _export.Mobile:
    """Return what the export of a network behind `_preprocessing.preprocess` needs for phones."""
    raw_spec = graph.raw_feature_spec
    names = _raw.feature_names(raw_spec, config)
    wanted = _wanted.outputs(raw_spec, names, config["features"]["columns"])
    learned = _transforms.learned(graph, transform, wanted)
    found = obstacles(wanted, raw_spec)
    on_device = None if found else OnDevice(wanted, learned, raw_spec)
    facts = {"obstacles": found, "classes": _labels.classes(config, transform)}
    recipe = _transforms.recipe(wanted, learned, raw_spec) | facts
    return _export.Mobile(feature_spec(transform, _labels.name(config)), on_device, recipe)


class OnDevice(tf.Module):
    """From raw columns [n] by name, missing values marked as `models/_raw.py` says, to transformed features [n]."""

    def __init__(
        self, wanted: Sequence[_wanted.Output], learned: Mapping[str, Any], raw_spec: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self._wanted, self._learned = list(wanted), dict(learned)
        self._tables = {
            output.name: _table(learned[output.name]["words"])
            for output in wanted
            if output.kind == "vocabulary" and raw_spec[output.column].dtype == tf.string
        }

    def __call__(self, columns: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return the features by name."""
        moments = _transforms.read_dates(self._wanted, columns)
        return {
            output.name: self._date(output, moments[output.column])
            if output.kind == "date"
            else self._feature(output, columns[output.column])
            for output in self._wanted
        }

    def _feature(self, output: _wanted.Output, values: tf.Tensor) -> tf.Tensor:
        found = self._learned[output.name]
        if output.kind == "vocabulary":
            table = self._tables.get(output.name)
            ids = table.lookup(values) if table else _number_ids(values, found["words"])
            # An unknown word, -1 so far, gets the bucket behind the vocabulary. TFLite forgets the shape behind a
            # lookup: with one row, a SELECT_V2 after it (Keras's for a negative index) would answer with a scalar.
            return tf.reshape(ids + tf.cast(ids < 0, tf.int64) * (len(found["words"]) + 1), [-1])
        missing = tf.not_equal(values, values) if values.dtype.is_floating else _raw.is_missing(values)
        if output.kind == "missing":
            return tf.cast(missing, tf.float32)
        known = tf.where(missing, tf.zeros_like(values), values)
        if output.kind == "bucketize":
            reached = tf.cast(known, tf.float32)[:, None] >= tf.constant(found["boundaries"], tf.float32)[None, :]
            return tf.cast(tf.reduce_sum(tf.cast(reached, tf.int32), axis=1), tf.int64)
        if output.kind == "log":
            known = tf.cast(known, tf.float32)
            known = tf.sign(known) * tf.math.log(1.0 + tf.abs(known))
        scaled = _minus(known, found["mean"]) / tf.constant(found["deviation"], tf.float32)
        return tf.where(missing, tf.zeros_like(scaled), scaled)

    def _date(self, output: _wanted.Output, moments: _dates.Moments) -> tf.Tensor:
        if output.options["form"] != "zscore":
            return _dates.feature(moments, output.options["part"], output.options["form"])
        found = self._learned[output.name]
        scaled = _minus(moments.parts["year"], found["mean"]) / tf.constant(found["deviation"], tf.float32)
        return tf.where(moments.known, scaled, tf.zeros_like(scaled))


def obstacles(wanted: Sequence[_wanted.Output], raw_spec: Mapping[str, Any]) -> list[str]:
    """Return why a table's transforms cannot run on a device, one sentence each; nothing when they can."""
    found = []
    for output in wanted:
        if output.kind == "hash":
            found.append(f"{output.column}: TFLite has no hash")
        if output.kind == "date" and "pattern" in output.options:
            found.append(f"{output.column}: TFLite cannot read a date from a text")
        if output.kind in _wanted.WORDS_OF_TEXTS:
            found.append(f"{output.column}: TFLite cannot split a text into words")
        if output.kind != "vocabulary":
            continue
        if output.options.get("oov_buckets", 1) > 1:
            found.append(f"{output.column}: TFLite has no hash for more than one bucket of unknown words")
        if raw_spec[output.column].dtype.is_floating:
            found.append(f"{output.column}: TFLite cannot write a decimal number as a word of a vocabulary")
    return list(dict.fromkeys(found))


def _table(words: Sequence[str]) -> tf.lookup.StaticHashTable:
    # A missing value is a word of its own in the vocabulary, and an empty one at the door.
    keys = ["" if word == _transforms.MISSING_TOKEN else word for word in words]
    keys_and_places = tf.lookup.KeyValueTensorInitializer(
        tf.constant([key.encode(errors="surrogateescape") for key in keys]), tf.range(len(keys), dtype=tf.int64)
    )
    return tf.lookup.StaticHashTable(keys_and_places, -1)


def _number_ids(values: tf.Tensor, words: Sequence[str]) -> tf.Tensor:
    """Return the places int64 [n] of integers [n] in a vocabulary, -1 for the unknown; TFLite's tables take texts."""
    keys = [_raw.MISSING_INT if word == _transforms.MISSING_TOKEN else int(word) for word in words]
    equal = tf.cast(tf.equal(tf.cast(values, tf.int64)[:, None], tf.constant(keys, tf.int64)[None, :]), tf.int32)
    return tf.cast(tf.reduce_sum(equal * tf.range(1, len(keys) + 1), axis=1) - 1, tf.int64)


def _minus(values: tf.Tensor, mean: float) -> tf.Tensor:
    """Return values - mean as float32 [n], as exact as with doubles: large parts cancel before anything is rounded."""
    if values.dtype.is_floating:
        high = float(np.float32(mean))
        return (tf.cast(values, tf.float32) - tf.constant(high)) - tf.constant(mean - high, tf.float32)
    whole = round(mean)
    return tf.cast(values - tf.constant(whole, values.dtype), tf.float32) - tf.constant(mean - whole, tf.float32)
