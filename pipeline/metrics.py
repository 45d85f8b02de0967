"""The metrics a config may name, and the TFMA metric behind each."""

from dataclasses import dataclass
from typing import Literal

Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        tfma_class: the class in `tensorflow_model_analysis.metrics`, or a tf.keras metric that TFMA finds by name.
        tasks: the tasks it is defined for.
        higher_is_better: which way an improvement goes.
        bounds: the least and greatest value it can take; None is open.
    """

    tfma_class: str
    tasks: tuple[Task, ...]
    higher_is_better: bool
    bounds: tuple[float | None, float | None]


METRICS = {
    "auc": Metric("AUC", ("binary",), True, (0, 1)),
    "auc_precision_recall": Metric("AUCPrecisionRecall", ("binary",), True, (0, 1)),
    "accuracy": Metric("BinaryAccuracy", ("binary",), True, (0, 1)),
    "precision": Metric("Precision", ("binary",), True, (0, 1)),
    "recall": Metric("Recall", ("binary",), True, (0, 1)),
    "log_loss": Metric("BinaryCrossEntropy", ("binary",), False, (0, None)),
    "calibration": Metric("Calibration", ("binary", "regression"), True, (0, None)),
    "categorical_accuracy": Metric("SparseCategoricalAccuracy", ("multiclass",), True, (0, 1)),
    "mae": Metric("MeanAbsoluteError", ("regression",), False, (0, None)),
    "mse": Metric("MeanSquaredError", ("regression",), False, (0, None)),
    "example_count": Metric("ExampleCount", ("binary", "multiclass", "regression"), True, (0, None)),
}
