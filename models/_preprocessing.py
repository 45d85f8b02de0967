"""The preprocessing that tables and texts share: the label, and the transforms of the config for every column."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from models import _labels, _raw, _transforms, _wanted


def preprocess(inputs: Mapping[str, Any], custom_config: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Turn raw features into transformed ones, and the label into [n]; inside a preprocessing_fn.

    Args:
        inputs: raw features by name, SparseTensor or Tensor.
        custom_config: `label`, and `features` with `exclude` and the transforms by column.

    Raises:
        ValueError: a column has a name that cannot be served, or a transform or label that does not fit its type.
    """
    label = custom_config["label"]
    raw_spec = {name: _raw.spec_of(feature) for name, feature in inputs.items()}
    names = _raw.feature_names(raw_spec, custom_config)
    _raw.require_servable(names)
    columns = _raw.as_columns(inputs, [*names, label["name"]])
    outputs = {_labels.name(custom_config): _labels.ids(columns.pop(label["name"]), label)}
    wanted = _wanted.outputs(raw_spec, names, custom_config["features"]["columns"])
    return outputs | _transforms.transformed(columns, wanted)
