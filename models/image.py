"""Pictures: the bytes of PNG or JPEG files in; a binary, multi-class or regression answer out.

The transform graph decodes and resizes, so that a request carries what is in the file. The network is a small one from
scratch or one of keras.applications, without downloaded weights; pictures are moved at random in training only.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from models import _convolution, _export, _heads, _labels, _pictures, _raw, _training
from models._transform_graph import TransformGraph, feature_spec

DEFAULTS = {
    "backbone": "cnn",
    "depth": 2,
    "width": 32,
    "dense_units": 64,
    "dropout": 0.2,
    "learning_rate": 1e-3,
    "shift": 0.0,
    "rotation": 0.0,
    "zoom": 0.0,
    "flip": False,
}
# What a search without a `tuner.space` searches, in its form.
SPACE: dict[str, dict[str, Any]] = {
    "learning_rate": {"float": {"min": 0.0003, "max": 0.01, "sampling": "log"}},
    "depth": {"int": {"min": 1, "max": 3}},
    "width": {"choice": [16, 32, 64]},
    "dense_units": {"choice": [32, 64, 128]},
    "dropout": {"choice": [0.0, 0.2, 0.4]},
}


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Turn the column of pictures into pixels float32 [n, height, width, channels], and the label into [n].

    Args:
        inputs: raw features by name, SparseTensor or Tensor.
        custom_config: `label`, and `features` with `exclude` and the `image` transform of one column.

    Raises:
        ValueError: no column of pictures, columns of another kind, or a label that does not fit its type.
    """
    label = custom_config["label"]
    raw_spec = {name: _raw.spec_of(feature) for name, feature in inputs.items()}
    names = _raw.feature_names(raw_spec, custom_config)
    picture = _pictures.wanted(raw_spec, names, custom_config)
    _raw.require_servable(names)
    columns = _raw.as_columns(inputs, [picture.column, label["name"]])
    return {
        _labels.name(custom_config): _labels.ids(columns[label["name"]], label),
        picture.feature: _pictures.pixels(columns[picture.column], picture),
    }


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Return the tuner for the search space of the config, and what its `search` takes."""
    return _training.search(fn_args, build_model, DEFAULTS, _pictures.compact)


def run_fn(fn_args: FnArgs) -> None:
    """Train with the best hyperparameters found, or the config's own, and export to `fn_args.serving_model_dir`."""
    _training.train(fn_args, build_model, DEFAULTS, _for_phones, _pictures.compact)


def build_model(
    transform: tft.TFTransformOutput, config: Mapping[str, Any], hp: Mapping[str, Any], labels: np.ndarray
) -> keras.Model:
    """Build the network: {feature: pixels [n, height, width, channels]} to [n] or [n, classes].

    The arguments are those of `_training.Build`, with a value in `hp` for every key of `DEFAULTS`.

    Raises:
        ValueError: the backbone does not fit the pictures.
    """
    task = config["label"]["task"]
    ((name, spec),) = feature_spec(transform, _labels.name(config)).items()
    _convolution.require_backbone(hp["backbone"], *spec.shape[1:3])
    inputs = {name: keras.Input(spec.shape[1:], name=name, dtype="uint8")}
    logits = _heads.dense(_heads.answers(config, transform), "logits")(_convolution.features(inputs[name], hp))
    return keras.Model(inputs, _heads.output(logits, task, labels))


def _for_phones(graph: TransformGraph, transform: tft.TFTransformOutput, config: Mapping[str, Any]) -> _export.Mobile:
    raw_spec = graph.raw_feature_spec
    picture = _pictures.wanted(raw_spec, _raw.feature_names(raw_spec, config), config)
    return _export.Mobile(
        feature_spec(transform, _labels.name(config)),
        _pictures.OnDevice(picture),
        _pictures.recipe(picture) | {"obstacles": [], "classes": _labels.classes(config, transform)},
        {picture.column: tf.TensorSpec([None, *picture.shape], tf.uint8, name=picture.column)},
    )
