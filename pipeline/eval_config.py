"""The `evaluation` section as TFMA's EvalConfig."""

from tensorflow_model_analysis.proto import config_pb2

from pipeline.config import Config, Threshold
from pipeline.metrics import METRICS


def eval_config(config: Config) -> config_pb2.EvalConfig:
    """Return the EvalConfig for the exported signatures.

    Change thresholds count only when there is a baseline: TFX drops them, and the second model, in a first run.
    """
    evaluation = config.evaluation
    if evaluation is None:
        raise ValueError("no evaluation section, got evaluation: off; the Evaluator needs one")
    slices = [config_pb2.SlicingSpec()] + [
        config_pb2.SlicingSpec(feature_keys=columns) for columns in evaluation.slices
    ]
    for threshold in evaluation.thresholds:
        spec = config_pb2.SlicingSpec(feature_values={name: str(value) for name, value in threshold.slice.items()})
        if threshold.slice and spec not in slices:
            slices.append(spec)
    names = dict.fromkeys([*evaluation.metrics, *(threshold.metric for threshold in evaluation.thresholds)])
    return config_pb2.EvalConfig(
        model_specs=[_model_spec(config, baseline) for baseline in (False, True)],
        slicing_specs=slices,
        metrics_specs=_metrics_specs(config, list(names)),
    )


def _metrics_specs(config: Config, names: list[str]) -> list[config_pb2.MetricsSpec]:
    """Return the metrics; where rows have weights, all are weighted but the number of rows."""
    metrics = {name: _metric(config, name) for name in names}
    if not config.training.sample_weight:
        return [config_pb2.MetricsSpec(metrics=list(metrics.values()))]
    count = [metrics.pop(name) for name in names if name == "example_count"]
    by_weight = (list(metrics.values()), {"weighted": True}), (count, {"unweighted": True})
    return [
        config_pb2.MetricsSpec(metrics=some, example_weights=config_pb2.ExampleWeightOptions(**options))
        for some, options in by_weight
        if some
    ]


def _model_spec(config: Config, baseline: bool) -> config_pb2.ModelSpec:
    multiclass = config.label.task == "multiclass"
    computed = multiclass or bool(config.label.classes)
    return config_pb2.ModelSpec(
        name="baseline" if baseline else "candidate",
        is_baseline=baseline,
        signature_name="serving_examples",
        # A label that is a number in the data needs no graph: computing it costs a third of the Evaluator's time.
        preprocessing_function_names=["transform_features"] if computed else [],
        label_key=f"{config.label.name}_label" if computed else config.label.name,
        prediction_key="probabilities" if multiclass else "",
        example_weight_key=config.training.sample_weight or "",
    )


def _metric(config: Config, name: str) -> config_pb2.MetricConfig:
    metric = config_pb2.MetricConfig(class_name=METRICS[name].tfma_class, config=f'"name": "{name}"')
    bounds: dict[tuple[tuple[str, str], ...], config_pb2.MetricThreshold] = {}
    for threshold in config.evaluation.thresholds if config.evaluation else ():
        if threshold.metric == name:
            rows = tuple((column, str(value)) for column, value in threshold.slice.items())
            bounds.setdefault(rows, config_pb2.MetricThreshold()).MergeFrom(_threshold(threshold))
    for rows, bound in bounds.items():
        # Never metric.threshold: TFMA applies that to every slice, not to all rows together.
        metric.per_slice_thresholds.add(
            slicing_specs=[config_pb2.SlicingSpec(feature_values=dict(rows))], threshold=bound
        )
    return metric


def _threshold(threshold: Threshold) -> config_pb2.MetricThreshold:
    bounds = config_pb2.MetricThreshold()
    if threshold.min is not None:
        bounds.value_threshold.lower_bound.value = threshold.min
    if threshold.max is not None:
        bounds.value_threshold.upper_bound.value = threshold.max
    if threshold.max_loss is not None:
        higher = METRICS[threshold.metric].higher_is_better
        change = bounds.change_threshold
        change.direction = (
            config_pb2.MetricDirection.HIGHER_IS_BETTER if higher else config_pb2.MetricDirection.LOWER_IS_BETTER
        )
        change.absolute.value = -threshold.max_loss if higher else threshold.max_loss
    return bounds
