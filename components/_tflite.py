"""From a SavedModel to .tflite files for phones: converted apart, compared on the whole eval split, judged.

The artifact is the folder an app developer gets. A variant that fails is reported; when it was required, the folder is
not pushed.
"""

import json
from pathlib import Path
from typing import Any, ClassVar

import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact, artifact_utils, component_spec, standard_artifacts, system_artifacts

from components import _tflite_convert, _tflite_handover, _tflite_report
from serving.predictor import Predictor
from serving.rows import from_examples

BLOCK_ROWS = 4096


class MobileModel(artifact.Artifact):
    """A folder of .tflite files with `report.json` and what an app needs beside them."""

    TYPE_NAME = "MobileModel"
    TYPE_ANNOTATION = system_artifacts.Model


class Executor(base_executor.BaseExecutor):
    """Converts, measures and judges."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Write the folder; a variant that cannot be converted is a line of the report and no failure."""
        options = json.loads(exec_properties["options"])
        model = Path(artifact_utils.get_single_uri(input_dict["model"]), "Format-Serving")
        examples = artifact_utils.get_single_uri(input_dict["examples"])
        folder = Path(artifact_utils.get_single_uri(output_dict["mobile_model"]))
        predictor = Predictor(model)
        try:
            train = _records(examples, "train").take(options["calibration_rows"])
            features = _transformed(predictor, list(train.as_numpy_iterator()))
            signatures = {name: _signature(predictor, name) for name in options["variants"]}
            failures = _tflite_convert.convert_apart(model, signatures, features, folder)
            measured = _tflite_report.measure(
                predictor, _blocks(predictor, examples), folder, signatures, options["label"]
            )
            report = _tflite_report.judge(options, signatures, failures, measured)
            (folder / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
            _tflite_handover.write(folder, model, predictor, report, options)
        finally:
            predictor.close()


def _signature(predictor: Predictor, variant: str) -> str:
    """Return the signature to convert; without transforms that TFLite can run, the network alone."""
    wanted = _tflite_convert.SIGNATURES[variant]
    return wanted if wanted in predictor.signatures else _tflite_convert.TRANSFORMED


def _records(examples: str, split: str) -> tf.data.Dataset:
    return tf.data.TFRecordDataset(sorted(tf.io.gfile.glob(f"{examples}/Split-{split}/*")), "GZIP")


def _transformed(predictor: Predictor, serialized: list[bytes]) -> dict[str, Any]:
    """Return the transformed features, and the label, by name."""
    return predictor.predict({"examples": serialized}, "transform_features")


def _blocks(predictor: Predictor, examples: str) -> Any:
    """Yield the eval split in blocks, each as raw columns and transformed features."""
    inputs = predictor.signature("serving_default").inputs
    for block in _records(examples, "eval").batch(BLOCK_ROWS).as_numpy_iterator():
        serialized = block.tolist()
        yield from_examples(serialized, inputs), _transformed(predictor, serialized)


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
