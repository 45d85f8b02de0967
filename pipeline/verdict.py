"""The gate in words: every threshold with its metric, value, bound, baseline and slice, and what it decided."""

import operator
import os
from collections.abc import Mapping
from dataclasses import dataclass

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import metrics_for_slice_pb2
from tfx.dsl.io import fileio

from pipeline.config import Config, Threshold
from pipeline.metrics import METRICS

Slice = tuple[tuple[str, str], ...]
# (model, slice, metric) -> value; the model is "" where there is no baseline.
Values = dict[tuple[str, Slice, str], float]


@dataclass(frozen=True)
class Verdict:
    """What the Evaluator decided.

    Attributes:
        blessed: whether the model may be pushed.
        lines: one line per threshold, then one with the outcome.
        values: the candidate's metrics over all rows, by name.
    """

    blessed: bool
    lines: list[str]
    values: dict[str, float]


def read(config: Config, evaluation_uri: str, blessing_uri: str) -> Verdict:
    """Read the artifacts of an Evaluator.

    Args:
        config: whose thresholds were applied.
        evaluation_uri: TFMA's output.
        blessing_uri: TFX's folder with a file BLESSED or NOT_BLESSED.
    """
    values = _values(evaluation_uri)
    failures = _failures(evaluation_uri)
    blessed = fileio.exists(os.path.join(blessing_uri, "BLESSED"))
    thresholds = config.evaluation.thresholds if config.evaluation else ()
    lines = [line for threshold in thresholds for line in _lines(threshold, values, failures)]
    lines.append(
        "blessed: every threshold holds" if blessed else "not blessed: nothing is pushed, the served version stays"
    )
    overall = {metric: value for (model, rows, metric), value in values.items() if not rows and model != "baseline"}
    return Verdict(blessed, lines, overall)


def _lines(threshold: Threshold, values: Values, failures: set[tuple[Slice, str, str]]) -> list[str]:
    """Return a line per bound of one threshold: `auc 0.9564 >= 0.9 on all rows: holds`."""
    rows = tuple((column, str(value)) for column, value in sorted(threshold.slice.items()))
    where = "on " + (", ".join(f"{column}={value}" for column, value in rows) or "all rows")
    metric = threshold.metric
    value = values.get(("candidate", rows, metric), values.get(("", rows, metric)))
    if value is None:
        return [f"{metric} {where}: no such rows in the eval split, so it fails"]
    baseline = values.get(("baseline", rows, metric))
    lines = []
    for bound, sign, kept in ((threshold.min, ">=", operator.ge), (threshold.max, "<=", operator.le)):
        if bound is not None:
            # TFMA has one threshold for both bounds, and does not say which of them failed.
            word = _word((rows, metric, "value") in failures and not kept(value, bound))
            lines.append(f"{metric} {value:.4f} {sign} {bound:g} {where}: {word}")
    if threshold.max_loss is not None and baseline is None:
        lines.append(f"{metric} {value:.4f} {where}: no baseline yet, nothing to compare with")
    elif threshold.max_loss is not None and baseline is not None:
        sign, bound = (">=", -threshold.max_loss) if METRICS[metric].higher_is_better else ("<=", threshold.max_loss)
        word = _word((rows, metric, "change") in failures)
        change = f"change {value - baseline:+.4f} {sign} {bound:+g}"
        lines.append(f"{metric} {value:.4f} against baseline {baseline:.4f}, {change} {where}: {word}")
    return lines


def _word(failed: bool) -> str:
    return "FAILS" if failed else "holds"


def _values(evaluation_uri: str) -> Values:
    values: Values = {}
    for part in tfma.load_metrics(evaluation_uri):
        for item in part.metric_keys_and_values:
            # With a baseline, TFMA also lists the difference of each metric under the candidate's name.
            whole = not item.key.is_diff and not item.key.HasField("sub_key")
            if whole and item.value.WhichOneof("type") == "double_value":
                key = (item.key.model_name, _slice(part.slice_key), item.key.name)
                values[key] = item.value.double_value.value
    return values


def _failures(evaluation_uri: str) -> set[tuple[Slice, str, str]]:
    """Return (slice, metric, "value" or "change") for each bound that failed."""
    found = set()
    for part in tfma.load_validation_result(evaluation_uri).metric_validations_per_slice:
        for failure in part.failures:
            for kind in ("value", "change"):
                if failure.metric_threshold.HasField(f"{kind}_threshold"):
                    found.add((_slice(part.slice_key), failure.metric_key.name, kind))
    return found


def _slice(key: metrics_for_slice_pb2.SliceKey) -> Slice:
    pairs = []
    for single in key.single_slice_keys:
        value = getattr(single, single.WhichOneof("kind"))
        pairs.append((single.column, value.decode() if isinstance(value, bytes) else str(value)))
    return tuple(sorted(pairs))


def summary(values: Mapping[str, float]) -> str:
    """Return the metrics in one line: `auc 0.9564, accuracy 0.9028`."""
    return ", ".join(f"{name} {value:.4f}" for name, value in sorted(values.items()) if name != "example_count")
