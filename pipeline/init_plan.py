"""`slipway init`: everything that goes into the config, decided; `init_text.py` writes it down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline import init_features, init_measure, init_suspects
from pipeline.errors import DataError
from pipeline.init_label import Label
from pipeline.init_measure import Score
from pipeline.init_table import Column, Table


@dataclass(frozen=True)
class Threshold:
    """A bound of the gate.

    Attributes:
        bound: as it stands in the config.
        reason: in words.
    """

    bound: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class Plan:
    """What the data suggest.

    Attributes:
        label: to predict.
        left_out: reasons by column.
        features: the columns to learn from.
        transforms: by column, as in a config.
        best: the feature that predicts best alone, and how well.
        metrics: to measure.
        slices: columns to measure by.
        thresholds: to reach.
        tuner: the search as it stands in a config.
        training: likewise.
    """

    label: Label
    left_out: Mapping[str, str]
    features: Mapping[str, Column]
    transforms: Mapping[str, Any]
    best: tuple[str, Score]
    metrics: list[str]
    slices: list[str]
    thresholds: list[Threshold]
    tuner: dict[str, Any]
    training: dict[str, Any]


METRICS = {
    "binary": ["auc", "accuracy", "example_count"],
    "multiclass": ["categorical_accuracy", "example_count"],
    "regression": ["mae", "mse", "example_count"],
}
NO_BETTER = "which no column alone can beat"
OBJECTIVES = {"binary": ("val_auc", "max"), "multiclass": ("val_accuracy", "max"), "regression": ("val_mae", "min")}
# By rows: batch size, and epochs and patience of the training and of a trial.
SIZES = ((2_000, 16, (60, 8), (20, 4)), (50_000, 128, (20, 3), (6, 2)), (None, 512, (10, 2), (3, 1)))


def plan(table: Table, label: Label) -> Plan:
    """Decide what is learned from, how, and what must be reached.

    Raises:
        DataError: every column but the label is left out.
    """
    columns = [column for name, column in table.columns.items() if name != label.name]
    left_out = {column.name: why for column in columns if (why := init_suspects.at_sight(column, label))}
    leaks, scores = init_suspects.leaks([column for column in columns if column.name not in left_out], label)
    left_out |= leaks
    features = {column.name: column for column in columns if column.name not in left_out}
    if not features:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items()) or "the label is the only one"
        raise DataError(f"no column is left to learn from, got {reasons}; give other columns")
    best = min(features, key=lambda name: scores[name].error)
    tuner, training = _training(table.rows, label)
    return Plan(
        label,
        {name: left_out[name] for name in table.columns if name in left_out},
        features,
        {name: init_features.transforms(column) for name, column in features.items()},
        (best, scores[best]),
        METRICS[label.task],
        init_features.slices(features.values()),
        _thresholds(table.rows, label, best, scores[best]),
        tuner,
        training,
    )


def _thresholds(rows: int, label: Label, best: str, score: Score) -> list[Threshold]:
    """Return a bound halfway from guessing to the best column alone, and one against the model that is served."""
    served = "against the model that is served"
    slack = 0.02 if rows >= 5_000 else 0.05
    if label.task == "regression":
        guess = init_measure.guess_mae(label)
        bound = _rounded((guess + min(score.mae, guess)) / 2)
        reason = f"the median for every row ({guess:.4g})"
        reason = (
            f"halfway from {reason} to {best} alone ({score.mae:.4g})"
            if score.mae < guess
            else f"{reason}, {NO_BETTER}"
        )
        loss = {"metric": "mae", "max_loss": _rounded(slack * guess)}
        return [Threshold({"metric": "mae", "max": bound}, reason), Threshold(loss, served)]
    metric, guess = ("auc", 0.5) if label.task == "binary" else ("categorical_accuracy", label.majority)
    bound = _rounded((guess + max(score.value, guess)) / 2)
    reason = f"guessing ({guess:.3g})"
    reason = (
        f"halfway from {reason} to {best} alone ({score.value:.3g})"
        if score.value > guess
        else f"{reason}, {NO_BETTER}"
    )
    loss = {"metric": metric, "max_loss": slack}
    return [Threshold({"metric": metric, "min": bound}, reason), Threshold(loss, served)]


def _training(rows: int, label: Label) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the sections tuner and training: small tables take small batches and many epochs."""
    size = next(size for size in SIZES if size[0] is None or rows < size[0])
    _, batch_size, (epochs, patience), (trial_epochs, trial_patience) = size
    objective, direction = OBJECTIVES[label.task]
    tuner = {
        "objective": objective,
        "direction": direction,
        "max_trials": 5,
        "epochs": trial_epochs,
        "patience": trial_patience,
        "space": {
            "learning_rate": {"float": {"min": 0.0005, "max": 0.02, "sampling": "log"}},
            "hidden_layers": {"choice": [1, 2, 3]},
            "hidden_units": {"choice": [32, 64, 128]},
            "dropout": {"choice": [0.0, 0.2, 0.4]},
        },
    }
    return tuner, {"epochs": epochs, "batch_size": batch_size, "patience": patience}


def _rounded(value: float) -> float:
    """Return a number with three digits."""
    return float(f"{value:.3g}")
