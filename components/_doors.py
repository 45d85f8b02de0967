"""The gate for serving: a model goes on only when it gives the same answer at every door it will be asked through.

The doors are the signatures `serving_default` and `serving_examples`, each in process, over REST and over gRPC. The
rows are the first of the eval split, as they were read, missing values included; an answer must be a number, which
doors that agree on NaN do not give, and which metrics do not notice. TFX's InfraValidator, whose blessing
this component writes, starts a container and asks whether there is an answer, not which.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts

from components import _local_copies
from serving import doors, server
from serving.client import Client, GrpcClient
from serving.predictor import Predictor
from serving.rows import from_examples
from serving.signature import Signature
from serving.versions import LifePolicy

ROWS = 64
NAME = "model"
REPORT = "doors.json"
# TFX's own file and property for a blessed InfraBlessing; its Pusher reads the property.
BLESSED_FILE, BLESSED_PROPERTY = "INFRA_BLESSED", "blessed"


class Executor(base_executor.BaseExecutor):
    """Asks every door and compares."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Write the report and the blessing.

        Raises:
            ValueError: the doors disagree, or agree on NaN; one line per door and output.
        """
        examples = first_examples(artifact_utils.get_single_uri(input_dict["examples"]))
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        with _local_copies.of(artifact_utils.get_single_uri(input_dict["model"])) as model:
            report = compare(model / "Format-Serving", examples)
        with _local_copies.of_outputs(output_dict):
            folder = Path(blessing.uri)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / REPORT).write_text(json.dumps(report, indent=1), encoding="utf-8")
            (folder / BLESSED_FILE).touch()
        blessing.set_int_custom_property(BLESSED_PROPERTY, 1)


def first_examples(uri: str) -> list[bytes]:
    """Return the first rows of the eval split, serialized."""
    files = sorted(tf.io.gfile.glob(f"{uri}/Split-eval/*"))
    return list(tf.data.TFRecordDataset(files, "GZIP").take(ROWS).as_numpy_iterator())


def compare(model: Path, examples: Sequence[bytes]) -> dict[str, Any]:
    """Serve a model on free ports of this process and ask it at every door.

    Returns:
        What was compared: `doors`, `rows`, `worst` and `lines`; or `skipped`, why nothing could be.

    Raises:
        ValueError: the doors disagree, or agree on NaN.
        ServingError: the model cannot be loaded, or serving_default fails.
    """
    with tempfile.TemporaryDirectory() as base:
        # A server takes a folder of versions.
        Path(base, "1").symlink_to(model.absolute())
        options = server.for_model(NAME, base, life=LifePolicy(poll_s=0, max_load_retries=0))
        with server.running(options) as running:
            servable = running.catalog.acquire(NAME)
            try:
                return _compared(running, servable.predictor, examples)
            finally:
                servable.release()


def _compared(running: server.ModelServer, predictor: Predictor, examples: Sequence[bytes]) -> dict[str, Any]:
    obstacle = why_not(predictor.signatures, examples)
    if obstacle:
        return {"skipped": obstacle}
    columns = from_examples(examples, predictor.signature("serving_default").inputs)
    if lines := no_numbers(predictor.predict(columns)):
        raise ValueError("\n".join(lines))
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    rest = Client(f"http://{running.options.host}:{running.rest_port}")
    grpc = GrpcClient(f"{running.options.host}:{running.grpc_port}")
    try:
        report = doors.compare(predictor, rows, examples=examples, rest=rest, grpc=grpc, model=NAME)
    finally:
        grpc.close()
    if not report.agree:
        raise ValueError("\n".join(_sentence(found, report.tolerance) for found in report.disagreements()))
    # One more than was compared with it: serving_default in process.
    return {"doors": len(report.doors) + 1, "rows": report.rows, "worst": report.worst, "lines": report.lines()}


def no_numbers(answer: Mapping[str, Any]) -> list[str]:
    """Return a line per output [n, …] that is NaN in some row."""
    found = []
    for name, values in answer.items():
        rows = np.asarray(values).reshape(len(values), -1)
        missing = np.isnan(rows).any(axis=1) if rows.dtype.kind == "f" else np.zeros(len(rows), bool)
        if missing.any():
            count = f"NaN in {missing.sum()} of {len(rows)} rows"
            found.append(f"serving_default, output {name}, row {missing.argmax() + 1}: {count}")
    return found


def why_not(signatures: dict[str, Signature], examples: Sequence[bytes]) -> str:
    """Return why a model's doors cannot be compared, "" when they can: a model of one's own may have others."""
    for name in ("serving_default", "serving_examples"):
        if name not in signatures:
            found = ", ".join(sorted(key for key in signatures if not key.startswith("__")))
            return f"no signature {name}, got {found}"
    if not examples:
        return "no rows in the eval split"
    if len(signatures["serving_examples"].inputs) != 1:
        return f"serving_examples takes more than Examples, got {', '.join(signatures['serving_examples'].inputs)}"
    rows = [tf.train.Example.FromString(example).features.feature for example in examples]
    for name, info in signatures["serving_default"].inputs.items():
        if not any(name in row for row in rows):
            return f"serving_default takes what is no raw feature, got {name}"
        if info.shape is None or len(info.shape) != 1:
            return f"serving_default takes no single values, got {name} of shape {info.shape}"
        if any(_values(row[name]) > 1 for row in rows if name in row):
            return f"serving_default takes single values, got rows with several of {name}"
    return ""


def _values(feature: Any) -> int:
    kind = feature.WhichOneof("kind")
    return len(getattr(feature, kind).value) if kind else 0


def _sentence(found: doors.Difference, tolerance: float) -> str:
    """Return `REST serving_examples, output score, row 3: 0.7, not 0.2; a difference of 0.5, allowed is 1e-06`."""
    output = f", output {found.output}" if found.output else ""
    return f"{found.door}{output}, {found.detail}; a difference of {found.worst:.3g}, allowed is {tolerance:g}"


class _Spec(component_spec.ComponentSpec):
    PARAMETERS: ClassVar = {"code": component_spec.ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS: ClassVar = {"blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing)}


class Doors(base_component.BaseComponent):
    """Blesses a Model whose doors agree; fails where they do not.

    Args:
        model: the Trainer's.
        examples: raw examples with an eval split.
        code: a fingerprint of this component's code, for the cache.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, model: types.BaseChannel, examples: types.BaseChannel, code: str) -> None:
        blessing = types.Channel(type=standard_artifacts.InfraBlessing)
        super().__init__(spec=_Spec(model=model, examples=examples, code=code, blessing=blessing))
