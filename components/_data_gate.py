"""The gate for data: what ExampleValidator found wrong stops the run here, before anything learns from it.

TFX's ExampleValidator writes its anomalies down and succeeds; training on them goes on.
"""

import os
from typing import Any, ClassVar

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts


def sentences(anomalies: anomalies_pb2.Anomalies, split: str) -> list[str]:
    """Return one sentence per anomaly: `train split: column 'fare': Expected data of type: FLOAT but got BYTES`."""
    found = [f"{split} split: {anomalies.dataset_anomaly_info.description}"] * anomalies.HasField(
        "dataset_anomaly_info"
    )
    for column in sorted(anomalies.anomaly_info):
        info = anomalies.anomaly_info[column]
        found.append(f"{split} split: column {column!r}: {info.description or info.short_description}")
    return found


class Executor(base_executor.BaseExecutor):
    """Fails when there is an anomaly in any split."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Read the anomalies of every split.

        Raises:
            ValueError: there are anomalies; one line each.
        """
        artifact = artifact_utils.get_single_instance(input_dict["anomalies"])
        found = []
        for split in artifact_utils.decode_split_names(artifact.split_names):
            anomalies = anomalies_pb2.Anomalies()
            with open(os.path.join(artifact.uri, f"Split-{split}", "SchemaDiff.pb"), "rb") as file:
                anomalies.ParseFromString(file.read())
            found += sentences(anomalies, split)
        if found:
            raise ValueError("\n".join(found))


class _Spec(component_spec.ComponentSpec):
    PARAMETERS: ClassVar[dict[str, Any]] = {}
    INPUTS: ClassVar = {"anomalies": component_spec.ChannelParameter(type=standard_artifacts.ExampleAnomalies)}
    OUTPUTS: ClassVar[dict[str, Any]] = {}


class DataGate(base_component.BaseComponent):
    """Lets a run go on only when ExampleValidator found nothing."""

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, anomalies: types.BaseChannel) -> None:
        super().__init__(spec=_Spec(anomalies=anomalies))
