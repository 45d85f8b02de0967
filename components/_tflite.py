"""From a SavedModel to .tflite files for phones: converted apart, compared on the whole eval split, judged.

The artifact is the folder an app developer gets. A variant that fails is reported; when it was required, the folder is
not pushed.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact, artifact_utils, component_spec, standard_artifacts, system_artifacts

from components import _local_copies, _tflite_convert, _tflite_handover, _tflite_report
from serving.predictor import Predictor
from serving.rows import MISSING, from_examples

BLOCK_ROWS = 4096
BLOCK_VALUES = 1 << 19
# By input of serving_mobile that is no raw column: the transformed `feature` that it is, and its `dtype`.
Tensors = Mapping[str, Mapping[str, str]]


class MobileModel(artifact.Artifact):
    """A folder of .tflite files with `report.json` and what an app needs beside them."""

    TYPE_NAME = "slipway.MobileModel"  # of this form, or Vertex AI takes no pipeline that has it
    TYPE_ANNOTATION = system_artifacts.Model


class Executor(base_executor.BaseExecutor):
    """Converts, measures and judges."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Write the folder; a variant that cannot be converted is a line of the report and no failure.

        Raises:
            ValueError: the model was not exported for phones.
        """
        examples = artifact_utils.get_single_uri(input_dict["examples"])
        model_uri = artifact_utils.get_single_uri(input_dict["model"])
        with _local_copies.of(model_uri) as model, _local_copies.of_outputs(output_dict):
            folder = Path(artifact_utils.get_single_uri(output_dict["mobile_model"]))
            self._make(model / "Format-Serving", examples, folder, json.loads(exec_properties["options"]))

    def _make(self, model: Path, examples: str, folder: Path, options: dict[str, Any]) -> None:
        predictor = Predictor(model)
        try:
            if _tflite_convert.TRANSFORMED not in predictor.signatures:
                found = ", ".join(predictor.signatures)
                raise ValueError(
                    f"no signature {_tflite_convert.TRANSFORMED}, got {found}; export it as models/_export.py does"
                )
            recipe = json.loads((model / "assets.extra" / "preprocessing.json").read_text(encoding="utf-8"))
            tensors = recipe.get("tensors", {})
            train = _records(examples, "train").take(options["calibration_rows"])
            features = _transformed(predictor, list(train.as_numpy_iterator()))
            signatures = {name: _signature(predictor, name, tensors) for name in options["variants"]}
            calibration = _made(tensors, features) or features
            failures = _tflite_convert.convert_apart(model, signatures, calibration, folder)
            ranges: dict[str, list[float]] = {}
            blocks = _blocks(predictor, examples, tensors, ranges)
            measured = _tflite_report.measure(predictor, blocks, folder, signatures, options["label"])
            report = _tflite_report.judge(options, signatures, failures, measured)
            report["obstacles"] = recipe["obstacles"]
            _tflite_handover.write_json(folder / "report.json", report)
            run_id = self._context.pipeline_run_id if self._context else ""
            facts = {"name": options["name"], "task": options["label"]["task"], "run": run_id, "ranges": ranges}
            _tflite_handover.write(folder, model, predictor, report, facts)
        finally:
            predictor.close()


def _signature(predictor: Predictor, variant: str, tensors: Tensors) -> str:
    """Return the signature to convert; without transforms that TFLite can run, the network alone.

    Pixels, unlike a table's raw features, fit into 8 bits.
    """
    wanted = _tflite_convert.RAW if tensors else _tflite_convert.SIGNATURES[variant]
    return wanted if wanted in predictor.signatures else _tflite_convert.TRANSFORMED


def _made(tensors: Tensors, features: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the inputs of `serving_mobile` that are transformed features in another type, by name."""
    return {name: features[tensor["feature"]].astype(tensor["dtype"]) for name, tensor in tensors.items()}


def _records(examples: str, split: str) -> tf.data.Dataset:
    return tf.data.TFRecordDataset(sorted(tf.io.gfile.glob(f"{examples}/Split-{split}/*")), "GZIP")


def _transformed(predictor: Predictor, serialized: list[bytes]) -> dict[str, Any]:
    """Return the transformed features, and the label, by name."""
    return predictor.predict({"examples": serialized}, "transform_features")


def _blocks(
    predictor: Predictor, examples: str, tensors: Tensors, ranges: dict[str, list[float]]
) -> Iterator[_tflite_report.Block]:
    """Yield the eval split in blocks; widen the ranges of the numbers."""
    inputs = predictor.signature("serving_default").inputs
    for block in _records(examples, "eval").batch(_block_rows(predictor)).as_numpy_iterator():
        serialized = block.tolist()
        raw = from_examples(serialized, inputs)
        for name, values in raw.items():
            if values.dtype == object:
                continue
            known = values[~np.isnan(values)] if values.dtype.kind == "f" else values[values != MISSING["int"]]
            if known.size:
                low, high = ranges.get(name, [float("inf"), float("-inf")])
                ranges[name] = [min(low, known.min().item()), max(high, known.max().item())]
        transformed = _transformed(predictor, serialized)
        yield _tflite_report.Block(raw, raw | _made(tensors, transformed), transformed)


def _block_rows(predictor: Predictor) -> int:
    """Return how many rows are asked at once: fewer when a row is a picture, of which a network makes many."""
    features = predictor.signature("transform_features").outputs.values()
    values = sum(math.prod(info.shape[1:]) for info in features if info.shape)
    return max(1, min(BLOCK_ROWS, BLOCK_VALUES // values))


class _Spec(component_spec.ComponentSpec):
    PARAMETERS: ClassVar = {
        "options": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS: ClassVar = {"mobile_model": component_spec.ChannelParameter(type=MobileModel)}


class TfLite(base_component.BaseComponent):
    """Makes a MobileModel of a Model.

    Args:
        model: the Trainer's.
        examples: raw examples; train calibrates the integers, eval is what the variants are compared on.
        options: the `mobile` section of the config, with its `label`.
        code: a fingerprint of this component's code, for the cache.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self, model: types.BaseChannel, examples: types.BaseChannel, options: dict[str, Any], code: str
    ) -> None:
        super().__init__(
            spec=_Spec(
                model=model,
                examples=examples,
                options=json.dumps(options, sort_keys=True),
                code=code,
                mobile_model=types.Channel(type=MobileModel),
            )
        )
