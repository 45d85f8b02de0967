"""Rows as the columns that a signature takes; what stands for a missing value in each type."""

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serving.signature import TensorInfo

# The contract with models/_raw.py: a named tensor cannot leave a value out.
MISSING: dict[str, Any] = {"string": "", "float": math.nan, "int": -(2**63)}


def kind(dtype: str) -> str:
    """Return the kind of a TensorFlow dtype: "float" for "float32" and "double"; a key of MISSING, or another dtype."""
    name = dtype.rstrip("0123456789")
    return {"double": "float", "half": "float", "uint": "int"}.get(name, name)


def from_json(value: Any) -> Any:
    """Return the bytes of {"b64": ...}, which is how JSON carries a picture, and any other value as it is.

    Raises:
        ValueError: it is no base64.
    """
    if not isinstance(value, dict) or list(value) != ["b64"]:
        return value
    try:
        return base64.b64decode(value["b64"], validate=True)
    except TypeError as error:
        raise ValueError(f"a text is needed, got {value['b64']!r}") from error


def from_examples(serialized: Sequence[bytes], inputs: Mapping[str, TensorInfo]) -> dict[str, np.ndarray]:
    """Return the columns [n] of serialized tf.Examples, by input of a signature; texts as bytes.

    A feature that is not there, or has no value, is missing; of several values the first counts.
    """
    import tensorflow as tf

    spec = {}
    for name, info in inputs.items():
        dtype = tf.dtypes.as_dtype(info.dtype_name)
        missing = MISSING[kind(info.dtype_name)]
        spec[name] = tf.io.FixedLenSequenceFeature([], dtype, allow_missing=True, default_value=missing)
    parsed = tf.io.parse_example(tf.constant(list(serialized)), spec)
    # One more column, for the features that no row has.
    pad = [[0, 0], [0, 1]]
    return {
        name: tf.pad(values, pad, constant_values=spec[name].default_value)[:, 0].numpy()
        for name, values in parsed.items()
    }
