"""TFX's Evaluator on real models: what it computes for every task is what scikit-learn computes."""

import numpy as np
import pytest
from sklearn import metrics
from tensorflow_model_analysis.proto import config_pb2

from pipeline.eval_config import eval_config
from pipeline.metrics import METRICS
from serving.predictor import Predictor
from tests.conftest import LABELS, pipeline_config

OUTPUTS = {"binary": "probability", "multiclass": "probabilities", "regression": "prediction"}


def _log_loss(labels, given):
    # TFMA's, like Keras's, keeps probabilities away from 0 and 1.
    return metrics.log_loss(labels, np.clip(given, 1e-7, 1 - 1e-7))


EXPECTED = {
    "auc": metrics.roc_auc_score,
    "auc_precision_recall": metrics.average_precision_score,
    "accuracy": lambda labels, given: metrics.accuracy_score(labels, given > 0.5),
    "precision": lambda labels, given: metrics.precision_score(labels, given > 0.5),
    "recall": lambda labels, given: metrics.recall_score(labels, given > 0.5),
    "log_loss": _log_loss,
    "calibration": lambda labels, given: given.sum() / labels.sum(),
    "categorical_accuracy": lambda labels, given: metrics.accuracy_score(labels, given.argmax(axis=1)),
    "mae": metrics.mean_absolute_error,
    "mse": metrics.mean_squared_error,
    "example_count": lambda labels, given: len(labels),
}
# TFMA takes curves at 10,000 thresholds, and the area under one of them in another way than scikit-learn.
TOLERANCE = {"auc": 1e-3, "auc_precision_recall": 0.01}


@pytest.mark.parametrize("name", LABELS)
def test_metrics_are_those_of_scikit_learn_on_the_same_rows(name, head, table, evaluate):
    label = LABELS[name]
    wanted = [metric for metric, info in METRICS.items() if label["task"] in info.tasks]
    found = evaluate(name, {"metrics": wanted, "thresholds": [{"metric": "example_count", "min": 1}]})
    predictor = Predictor(head(name).model)
    given = predictor.predict({"examples": table.examples}, "serving_examples")[OUTPUTS[label["task"]]]
    labels = predictor.predict({"examples": table.examples}, "transform_features")[f"{label['name']}_label"]
    predictor.close()
    assert set(found.values) == set(wanted)
    for metric, value in found.values.items():
        expected = EXPECTED[metric](labels, given.astype(np.float64))
        assert value == pytest.approx(expected, rel=TOLERANCE.get(metric, 1e-4)), metric


def test_metrics_are_weighted_by_the_column_of_the_config_and_rows_are_counted(head, table, evaluate):
    wanted = {"metrics": ["accuracy", "example_count"], "thresholds": [{"metric": "accuracy", "min": 0.1}]}
    found = evaluate("binary", wanted, sample_weight="stars")
    predictor = Predictor(head("binary").model)
    given = predictor.predict({"examples": table.examples}, "serving_examples")["probability"]
    predictor.close()
    labels, weights = ([row[name] for row in table.evaluation] for name in (LABELS["binary"]["name"], "stars"))
    weighted = metrics.accuracy_score(labels, given > 0.5, sample_weight=weights)
    assert found.values["accuracy"] == pytest.approx(weighted, rel=1e-4)
    assert found.values["accuracy"] != pytest.approx(metrics.accuracy_score(labels, given > 0.5), rel=1e-4)
    assert found.values["example_count"] == len(labels)
    assert found.blessed


def test_a_metric_of_every_task_has_an_expectation_here():
    assert set(EXPECTED) == set(METRICS)


def _config(**evaluation):
    return eval_config(pipeline_config(LABELS["regression"], evaluation=evaluation))


def test_a_slice_of_a_threshold_is_computed_once_although_two_thresholds_name_it():
    rome = [{"metric": name, "max": 9.0, "slice": {"city": "Rome"}} for name in ("mae", "mse")]
    slices = _config(slices=[["city"], ["city", "visits"]], thresholds=rome).slicing_specs
    assert [(list(spec.feature_keys), dict(spec.feature_values)) for spec in slices] == [
        ([], {}), (["city"], {}), (["city", "visits"], {}), ([], {"city": "Rome"}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "metric", "direction", "change"),
    [("binary", "auc", "HIGHER_IS_BETTER", -0.1), ("regression", "mae", "LOWER_IS_BETTER", 0.1)],
)
def test_a_loss_against_the_baseline_points_the_way_the_metric_goes(name, metric, direction, change):
    section = {"thresholds": [{"metric": metric, "max_loss": 0.1}]}
    config = eval_config(pipeline_config(LABELS[name], evaluation=section))
    (only,) = [one for one in config.metrics_specs[0].metrics if one.per_slice_thresholds]
    bound = only.per_slice_thresholds[0].threshold.change_threshold
    assert config_pb2.MetricDirection.Name(bound.direction) == direction
    assert bound.absolute.value == change


def test_bounds_of_two_thresholds_on_the_same_rows_are_one():
    (spec,) = _config(thresholds=[{"metric": "mae", "min": 1.0}, {"metric": "mae", "max": 2.0}]).metrics_specs
    (mae,) = [metric for metric in spec.metrics if metric.class_name == "MeanAbsoluteError"]
    (bound,) = [sliced.threshold.value_threshold for sliced in mae.per_slice_thresholds]
    assert (bound.lower_bound.value, bound.upper_bound.value) == (1.0, 2.0)


def test_evaluation_off_has_no_eval_config():
    with pytest.raises(ValueError, match="no evaluation section, got evaluation: off"):
        eval_config(pipeline_config(LABELS["binary"], evaluation=None))
