"""Raw features as they arrive: which ones a model takes, and how a missing value looks at each door.

A tf.Example leaves a missing feature out. A named tensor cannot, so it carries a marker: NaN in a float, "" in a
string, the smallest int64 in an integer. Both are turned into the same tensors before the transform sees them.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

MISSING_INT = tf.int64.min
FeatureSpec = Mapping[str, Any]


def feature_names(raw_spec: FeatureSpec, config: Mapping[str, Any]) -> list[str]:
    """Return the raw features the model takes, sorted: all of the schema's but the label and the excluded ones."""
    left_out = {config["label"]["name"], *config["features"]["exclude"]}
    return sorted(name for name in raw_spec if name not in left_out)


def require_servable(names: list[str]) -> None:
    """Raise ValueError when a column's name cannot be the name of a signature's input.

    Keras refuses a slash; TensorFlow's operations, which inputs are, take no spaces, brackets or umlauts.
    """
    bad = [name for name in names if not re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.>-]*", name)]
    if bad:
        raise ValueError(
            f"features: TensorFlow cannot serve columns of such names, got {', '.join(map(repr, bad))}; give them "
            "names of letters, digits, _, . and - under data.rename, or list them under features.exclude"
        )


def spec_of(feature: tf.Tensor | tf.SparseTensor) -> Any:
    """Return the entry of a feature spec that parses into a feature like this one."""
    if isinstance(feature, tf.SparseTensor):
        return tf.io.VarLenFeature(feature.dtype)
    return tf.io.FixedLenFeature(feature.shape[1:], feature.dtype)


def request_spec(raw_spec: FeatureSpec, names: list[str]) -> dict[str, Any]:
    """Return the spec that parses a request: what a row leaves out is missing, though every training row had it."""
    spec = {}
    for name in names:
        known = raw_spec[name]
        if isinstance(known, tf.io.FixedLenFeature):
            default = np.full(known.shape, missing_value(known.dtype)).tolist()
            known = tf.io.FixedLenFeature(known.shape, known.dtype, default)
        spec[name] = known
    return spec


def signature(raw_spec: FeatureSpec, names: list[str]) -> dict[str, tf.TensorSpec]:
    """Return the named inputs of `serving_default`: one vector [n] a feature, n the rows of the request."""
    return {name: tf.TensorSpec([None], raw_spec[name].dtype, name=name) for name in names}


def is_missing(values: tf.Tensor) -> tf.Tensor:
    """Return bool, shaped like `values`: where a value is the marker for a missing one."""
    if values.dtype == tf.string:
        return tf.equal(values, "")
    if values.dtype.is_floating:
        return tf.math.is_nan(values)
    return tf.equal(values, tf.constant(MISSING_INT, values.dtype))


def missing_value(dtype: tf.DType) -> Any:
    """Return the marker of a missing value of this type."""
    if dtype == tf.string:
        return ""
    return float("nan") if dtype.is_floating else MISSING_INT


def as_parsed(columns: Mapping[str, tf.Tensor], raw_spec: FeatureSpec) -> dict[str, Any]:
    """Turn named vectors [n] into what `tf.io.parse_example` gives for the same rows.

    Returns:
        by name, a SparseTensor [n, ?] without the missing values where the spec is a VarLenFeature, else the tensor in
        the spec's own shape [n, *shape].
    """
    parsed = {}
    for name, values in columns.items():
        spec = raw_spec[name]
        if isinstance(spec, tf.io.VarLenFeature):
            rows = tf.where(~is_missing(values))
            size = tf.stack([tf.size(values, tf.int64), 1])
            indices = tf.pad(rows, [[0, 0], [0, 1]])
            parsed[name] = tf.SparseTensor(indices, tf.gather_nd(values, rows), size)
        else:
            parsed[name] = tf.reshape(values, [-1, *spec.shape])
    return parsed


def as_columns(parsed: Mapping[str, Any], names: list[str]) -> dict[str, tf.Tensor]:
    """Turn parsed features into named vectors [n] with markers for the missing values: the inverse of `as_parsed`."""
    columns = {}
    for name in names:
        feature = parsed[name]
        if isinstance(feature, tf.SparseTensor):
            one_wide = tf.sparse.reset_shape(feature, [feature.dense_shape[0], tf.maximum(feature.dense_shape[1], 1)])
            dense = tf.sparse.to_dense(one_wide, default_value=missing_value(feature.dtype))
            columns[name] = dense[:, 0]
        else:
            columns[name] = tf.reshape(feature, [-1])
    return columns
