"""The config: what one YAML file may say, with its defaults. Data only; `config_file.py` reads and checks it.

The field names are the keys of the file; every model is frozen and refuses keys it does not know.
"""

import os
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from pipeline import names
from pipeline.airflow_config import Airflow
from pipeline.beam_config import Beam
from pipeline.data_config import Data
from pipeline.feature_config import Features
from pipeline.kubeflow_config import Kubeflow
from pipeline.metadata_config import Metadata
from pipeline.metrics import METRICS, Task
from pipeline.mobile_config import Mobile
from pipeline.section import Section, off
from pipeline.training_config import Training
from pipeline.tuner_config import Tuner
from pipeline.vertex_config import Vertex


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"a boolean to YAML, got {value}; write it in quotes, yes, no, on and off too")
    return value


Value = Annotated[str | int, BeforeValidator(_no_boolean)]


class Label(Section):
    """What is to be predicted.

    Attributes:
        name: the column.
        task: binary (0 or 1), multiclass, or regression.
        classes: the values in the order of their ids; needed for a binary label that is not 0 or 1.
    """

    name: str
    task: Task
    classes: tuple[Value, ...] = ()

    @model_validator(mode="after")
    def _classes_of_the_task(self) -> "Label":
        count = len(self.classes)
        if len({str(name) for name in self.classes}) < count:
            raise ValueError(f"a class stands twice, got {list(self.classes)}; name each value once")
        if self.task == "regression" and count:
            raise ValueError(f"a regression label has no classes, got {list(self.classes)}; take them out")
        if self.task == "binary" and count not in (0, 2):
            raise ValueError(f"a binary label has two classes, got {list(self.classes)}; is the task multiclass?")
        return self


class Model(Section):
    """The network.

    Attributes:
        name: `models/<name>.py`, or any installed module by dotted path.
        hyperparameters: fixed ones, by name; the Tuner's finds go before them.
    """

    name: str
    hyperparameters: dict[str, Any] = {}

    @field_validator("name")
    @classmethod
    def _known_model(cls, name: str) -> str:
        if "." not in name:
            names.require(name, names.plug_ins("models"), what="model")
        return name


class Threshold(Section):
    """One condition of the gate: a fixed bound, or a bound on the change against the blessed baseline.

    Attributes:
        metric: one of the metrics.
        min: the least value allowed.
        max: the greatest value allowed.
        max_loss: against the baseline, worse by at most this much; 0 demands no loss, a negative value an improvement.
        slice: column and value of the rows it holds for; empty means all rows.
    """

    metric: str
    min: float | None = None
    max: float | None = None
    max_loss: float | None = None
    slice: dict[str, Value] = {}

    @model_validator(mode="after")
    def _sensible(self) -> "Threshold":
        names.require(self.metric, METRICS, what="metric")
        low, high = METRICS[self.metric].bounds
        for key in ("min", "max"):
            value = getattr(self, key)
            if value is not None and not ((low is None or value >= low) and (high is None or value <= high)):
                raise ValueError(f"{key} is out of range, got {value}; {self.metric} lies between {low} and {high}")
        if self.min is None and self.max is None and self.max_loss is None:
            raise ValueError(f"bounds nothing, got metric {self.metric!r} alone; add min, max or max_loss")
        return self


class Evaluation(Section):
    """What is measured on the eval split, and what a model must reach to be pushed.

    Attributes:
        metrics: names of `pipeline/metrics.py`.
        slices: lists of columns; each metric is also computed for every combination of their values.
        thresholds: all must hold, or nothing is pushed.
    """

    metrics: Annotated[tuple[str, ...], Field(min_length=1)] = ("example_count",)
    slices: tuple[tuple[str, ...], ...] = ()
    thresholds: Annotated[tuple[Threshold, ...], Field(min_length=1)]

    @field_validator("metrics")
    @classmethod
    def _known_metrics(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        for name in metrics:
            names.require(name, METRICS, what="metric")
        return metrics

    @field_validator("thresholds")
    @classmethod
    def _one_bound_of_a_kind(cls, thresholds: tuple[Threshold, ...]) -> tuple[Threshold, ...]:
        seen = set()
        for threshold in thresholds:
            for kind in threshold.model_fields_set & {"min", "max", "max_loss"}:
                bound = (threshold.metric, kind, frozenset(threshold.slice.items()))
                if bound in seen:
                    raise ValueError(f"two bounds of a kind, got {kind} of {threshold.metric} again; keep one")
                seen.add(bound)
        return thresholds


def _for_all_processes(root: str) -> str:
    scheme, separator, rest = root.partition("://")
    if not (scheme and rest.strip("/") if separator else os.path.isabs(root)):
        raise ValueError(f"no folder that all processes find, got {root}; /mnt/…, gs://bucket/… or s3://bucket/…")
    if scheme == "file":
        raise ValueError(f"a local folder has no file://, got {root}; write the path alone")
    return root


def _known_component(name: str) -> str:
    names.require(name, names.plug_ins("components"), what="component")
    return name


Component = Annotated[str, AfterValidator(_known_component)]


class Config(Section):
    """One pipeline.

    Attributes:
        name: of the pipeline and of the served model.
        schema_file: a curated schema (text proto), relative to the config file; None infers one from the data.
        tuner: None, or `off` in the file, trains with the fixed hyperparameters.
        doors: off pushes a model although its signatures, REST and gRPC might answer differently.
        evaluation: off pushes every model that was trained.
        push: off leaves the served version as it is.
        mobile: .tflite files beside every pushed version; off makes none.
        metadata: the database of lineage and cache; a file under the output folder unless several machines share it.
        pipeline_root: the folder of all artifacts, on any filesystem TensorFlow reads; the output folder without.
        beam: what runs the steps that are Beam pipelines.
        components: custom components of `components/`, by name, with their options.
        kubeflow: how containers run the steps; only `slipway compile` and `slipway submit` look at it.
        vertex: the same for Vertex AI Pipelines; only `slipway compile` looks at it.
        airflow: how the steps run as tasks of Airflow; likewise.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    data: Data
    schema_file: str | None = Field(default=None, alias="schema")
    label: Label
    features: Features = Features()
    model: Model
    tuner: Annotated[Tuner | None, BeforeValidator(off)] = None
    training: Training = Training()
    doors: bool = True
    evaluation: Annotated[Evaluation | None, BeforeValidator(off)]
    push: Annotated[bool, BeforeValidator(lambda value: False if value == "off" else value)] = True
    mobile: Annotated[Mobile | None, BeforeValidator(off)] = None
    metadata: Metadata = Metadata()
    pipeline_root: Annotated[str | None, AfterValidator(lambda root: root and _for_all_processes(root))] = None
    beam: Beam = Beam()
    components: dict[Component, dict[str, Any]] = {}
    kubeflow: Annotated[Kubeflow | None, BeforeValidator(off)] = None
    vertex: Annotated[Vertex | None, BeforeValidator(off)] = None
    airflow: Annotated[Airflow | None, BeforeValidator(off)] = None
