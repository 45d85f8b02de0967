"""The transform graph as a function, loaded once for training and export."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.saved import saved_transform_io_v2


class TransformGraph(tf.Module):
    """From parsed raw features to transformed ones; features that need an input which is not given are left out.

    `TFTransformOutput.transform_features_layer` is the same loader inside a tf_keras Model, which AutoGraph would trace
    for seconds when a Keras 3 model is exported with it.
    """

    def __init__(self, transform: tft.TFTransformOutput) -> None:
        super().__init__()
        self._loader = saved_transform_io_v2.SavedModelLoader(transform.transform_savedmodel_dir)
        # Its lookup tables and vocabulary files go into every SavedModel that tracks this module.
        self.resources = self._loader._imported
        self.raw_feature_spec: Mapping[str, Any] = transform.raw_feature_spec()
        # Of the transformed features, about; one of varying length counts as one value.
        self.row_bytes = sum(_size(spec) for spec in transform.transformed_feature_spec().values())

    def __call__(self, features: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """Apply the graph to features by name, each a Tensor or SparseTensor with the rows in dimension 0."""
        return dict(self._loader.apply_transform_model(dict(features)))

    def learned(self, name: str) -> np.ndarray:
        """Return what an analyzer found and the preprocessing_fn named with `tf.identity(value, name)`.

        tf.Transform keeps such a value as a constant that its function captures.
        """
        function = self.resources.transform_fn
        (found,) = function.graph.get_operation_by_name(name).inputs
        captured = zip(function.graph.internal_captures, function.captured_inputs, strict=True)
        return next(value.numpy() for inside, value in captured if inside is found)


def feature_spec(transform: tft.TFTransformOutput, label: str) -> dict[str, tf.TensorSpec]:
    """Return what a network takes: by transformed feature, its TensorSpec [n, ...].

    Args:
        transform: of the features.
        label: the transformed feature that is the label, and no input.
    """
    return {
        name: tf.TensorSpec([None, *feature.shape], feature.dtype, name=name)
        for name, feature in transform.transformed_feature_spec().items()
        if name != label
    }


def _size(spec: Any) -> int:
    return int(np.prod(getattr(spec, "shape", ()), dtype=np.int64)) * spec.dtype.size
