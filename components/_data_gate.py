"""The gate for data: what ExampleValidator found wrong stops the run here, before anything learns from it.

TFX's ExampleValidator writes its anomalies down and succeeds; training on them goes on. A row without a label is an
anomaly too, whatever the schema allows: one of them makes every weight of a regression a NaN. So is a label of one
value, or of almost as many values as rows.
"""

import os
from typing import Any, ClassVar

from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, component_spec, standard_artifacts

# A label of text with so many classes must have so many rows of each on average, or it is rather an id.
MANY_CLASSES, ROWS_PER_CLASS = 100, 10


def sentences(anomalies: anomalies_pb2.Anomalies, split: str) -> list[str]:
    """Return one sentence per anomaly: `train split: column 'fare': Expected data of type: FLOAT but got BYTES`."""
    found = [f"{split} split: {anomalies.dataset_anomaly_info.description}"] * anomalies.HasField(
        "dataset_anomaly_info"
    )
    for column in sorted(anomalies.anomaly_info):
        info = anomalies.anomaly_info[column]
        found.append(f"{split} split: column {column!r}: {info.description or info.short_description}")
    return found


def label_sentences(statistics: statistics_pb2.DatasetFeatureStatisticsList, label: str, split: str) -> list[str]:
    """Return one sentence when rows have no label, or one that cannot be learned: `train split: column …`."""
    found = []
    for feature in statistics.datasets[0].features:
        kind = feature.WhichOneof("stats")
        if kind and (feature.name or "".join(feature.path.step)) == label:
            common = getattr(feature, kind).common_stats
            numbers = feature.num_stats if kind == "num_stats" else None
            without = common.num_missing + (numbers.histograms[0].num_nan if numbers and numbers.histograms else 0)
            rows = common.num_missing + common.num_non_missing
            if without:
                text = f"{without} of {rows} rows have none; fill or drop them"
            else:
                text = _unlearnable(feature, rows) if split == "train" else ""
            if text:
                found.append(f"{split} split: column {label!r}: is the label, and {text}")
    return found


def _unlearnable(feature: statistics_pb2.FeatureNameStatistics, rows: int) -> str:
    """Return why nothing can be learned from a label, or ""."""
    numbers, texts = feature.num_stats, feature.string_stats
    if feature.WhichOneof("stats") == "num_stats":
        return f"all {rows} rows have {numbers.min:g}; give rows of every class" if numbers.min == numbers.max else ""
    if texts.unique == 1:
        return f"all {rows} rows have {texts.top_values[0].value!r}; give rows of every class"
    if texts.unique > MANY_CLASSES and rows < ROWS_PER_CLASS * texts.unique:
        return f"has {texts.unique:,} classes in {rows:,} rows; is it an id? Give {ROWS_PER_CLASS} rows a class"
    return ""


class Executor(base_executor.BaseExecutor):
    """Fails when there is an anomaly in any split, or a row without a label."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Read the anomalies and the statistics of every split.

        Raises:
            ValueError: there are anomalies; one line each.
        """
        anomalies = artifact_utils.get_single_instance(input_dict["anomalies"])
        statistics = artifact_utils.get_single_instance(input_dict["statistics"])
        found = []
        for split in artifact_utils.decode_split_names(anomalies.split_names):
            found += sentences(_read(anomalies.uri, split, "SchemaDiff.pb", anomalies_pb2.Anomalies()), split)
        for split in artifact_utils.decode_split_names(statistics.split_names):
            content = _read(statistics.uri, split, "FeatureStats.pb", statistics_pb2.DatasetFeatureStatisticsList())
            found += label_sentences(content, exec_properties["label"], split)
        if found:
            raise ValueError("\n".join(found))


def _read(uri: str, split: str, name: str, message: Any) -> Any:
    with fileio.open(os.path.join(uri, f"Split-{split}", name), "rb") as file:
        message.ParseFromString(file.read())
    return message


class _Spec(component_spec.ComponentSpec):
    PARAMETERS: ClassVar = {"label": component_spec.ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        "anomalies": component_spec.ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "statistics": component_spec.ChannelParameter(type=standard_artifacts.ExampleStatistics),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {}


class DataGate(base_component.BaseComponent):
    """Lets a run go on only when ExampleValidator found nothing and every row has a label.

    Args:
        anomalies: ExampleValidator's.
        statistics: those it looked at.
        label: the column.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, anomalies: types.BaseChannel, statistics: types.BaseChannel, label: str) -> None:
        super().__init__(spec=_Spec(anomalies=anomalies, statistics=statistics, label=label))
