"""The one export contract: three signatures that answer alike, a warm-up file and a few rows to try.

`keras.export.ExportArchive` writes it, because the variables of `tf.saved_model.save(keras_model)` cannot be found by
loaders that run a TF1 session, TensorFlow Serving's among them.
"""

import base64
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

from models import _raw
from models._transform_graph import TransformGraph

SAMPLE_ROWS = 8
Answer = Callable[[Mapping[str, tf.Tensor]], dict[str, tf.Tensor]]


@dataclass(frozen=True)
class Mobile:
    """What an export needs for phones.

    Attributes:
        transformed_spec: by transformed feature without the label, its TensorSpec [n].
        on_device: from raw columns to transformed features in TFLite's operations, or None where that cannot be done.
        recipe: the same as data: by transformed feature its column, kind, options and what was learned.
        inputs: of `on_device`, by name, where they are other than those of `serving_default`.
    """

    transformed_spec: Mapping[str, tf.TensorSpec]
    on_device: Callable[[Mapping[str, tf.Tensor]], dict[str, tf.Tensor]] | None
    recipe: Mapping[str, Any]
    inputs: Mapping[str, tf.TensorSpec] | None = None


def export(
    model: keras.Model,
    graph: TransformGraph,
    answer: Answer,
    config: Mapping[str, Any],
    examples: list[bytes],
    directory: str,
    mobile: Mobile | None = None,
) -> None:
    """Write a SavedModel with the signatures `serving_default`, `serving_examples` and `transform_features`.

    For phones there are two more: `serving_mobile`, raw features through TFLite's operations, where it can be done, and
    `serving_transformed`, the network alone.

    Args:
        model: the trained network, from transformed features to its output.
        graph: the transform graph it was trained behind.
        answer: from transformed features to the named outputs, each [n] or [n, k].
        config: custom_config of the Trainer; its label and excluded features are no inputs.
        examples: a few serialized raw tf.Examples; they become the warm-up requests and the sample rows.
        directory: where the SavedModel is written.
        mobile: None leaves the signatures for phones out.
    """
    raw_spec = graph.raw_feature_spec
    names = _raw.feature_names(raw_spec, config)
    request_spec = _raw.request_spec(raw_spec, names)

    def serving_default(columns: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return answer(graph(_raw.as_parsed(columns, raw_spec)))

    def serving_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        # Through the same columns as serving_default, so that a marker in an Example means the same at both doors.
        columns = _raw.as_columns(tf.io.parse_example(examples, request_spec), names)
        return answer(graph(_raw.as_parsed(columns, raw_spec)))

    def transform_features(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return graph(tf.io.parse_example(examples, raw_spec))

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.track(graph)
    serialized = [tf.TensorSpec([None], tf.string, name="examples")]
    archive.add_endpoint("serving_default", serving_default, [_raw.signature(raw_spec, names)])
    archive.add_endpoint("serving_examples", serving_examples, serialized)
    archive.add_endpoint("transform_features", transform_features, serialized)
    if mobile:
        _add_mobile(archive, answer, mobile, _raw.signature(raw_spec, names))
    archive.write_out(directory, verbose=False)
    columns = _raw.as_columns(tf.io.parse_example(tf.constant(examples[:SAMPLE_ROWS]), request_spec), names)
    _write_extra(directory, columns)
    if mobile:
        with tf.io.gfile.GFile(os.path.join(directory, "assets.extra", "preprocessing.json"), "w") as file:
            json.dump(mobile.recipe, file, indent=1)


def _add_mobile(
    archive: keras.export.ExportArchive, answer: Answer, mobile: Mobile, raw: Mapping[str, tf.TensorSpec]
) -> None:
    archive.add_endpoint("serving_transformed", answer, [dict(mobile.transformed_spec)])
    if mobile.on_device is not None:
        on_device = mobile.on_device
        archive.track(on_device)
        archive.add_endpoint("serving_mobile", lambda columns: answer(on_device(columns)), [dict(mobile.inputs or raw)])


def _write_extra(directory: str, columns: Mapping[str, tf.Tensor]) -> None:
    """Write `assets.extra`: warm-up requests for TensorFlow Serving and the same rows as JSON lines for people."""
    extra = os.path.join(directory, "assets.extra")
    tf.io.gfile.makedirs(extra)
    request = predict_pb2.PredictRequest(
        model_spec=model_pb2.ModelSpec(signature_name="serving_default"),
        inputs={name: tf.make_tensor_proto(values) for name, values in columns.items()},
    )
    log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
    with tf.io.TFRecordWriter(os.path.join(extra, "tf_serving_warmup_requests")) as writer:
        writer.write(log.SerializeToString())
    with tf.io.gfile.GFile(os.path.join(extra, "sample_rows.jsonl"), "w") as file:
        for values in zip(*(column.numpy().tolist() for column in columns.values()), strict=True):
            row = {name: _shortest(value) for name, value in zip(columns, values, strict=True) if not _is_marker(value)}
            file.write(json.dumps(row, default=_as_json) + "\n")


def _as_json(value: bytes) -> Any:
    """Return text as it is, and what is no text, a picture, as REST takes it."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}


def _is_marker(value: Any) -> bool:
    return value in (b"", _raw.MISSING_INT) or (isinstance(value, float) and math.isnan(value))


def _shortest(value: Any) -> Any:
    """Return a float with no more digits than a float32 has: 12.45, not 12.449999809265137."""
    return float(str(np.float32(value))) if isinstance(value, float) else value
