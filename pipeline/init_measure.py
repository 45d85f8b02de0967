"""`slipway init`: how well columns predict the label, measured on rows that were not learned from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.init_label import Label
from pipeline.init_table import Column

# Of the sample; a tree of one column needs no more to show a leak.
MEASURED_ROWS = 10_000
FOLDS = 3
NAMES = {"binary": "AUC", "multiclass": "accuracy", "regression": "R²"}


@dataclass(frozen=True)
class Score:
    """How good predictions are.

    Attributes:
        value: AUC of a binary label, accuracy of several classes, R² of a regression.
        error: what is left to gain: 0 is perfect, 1 is guessing; for a binary label 1 - AUC, which is 0.5 then.
        mae: mean absolute error of a regression, else 0.
        name: of the value, for people.
    """

    value: float
    error: float
    mae: float
    name: str

    @property
    def better_than_guessing(self) -> bool:
        """Whether the column tells anything at all."""
        return self.error < (0.5 if self.name == NAMES["binary"] else 1.0)

    def __str__(self) -> str:
        return f"{self.name} {self.value:.3f}"


def alone(column: Column, label: Label) -> Score:
    """Return how well a small decision tree of one column predicts the label."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    tree = DecisionTreeRegressor if label.task == "regression" else DecisionTreeClassifier
    rows = min(len(label.target), MEASURED_ROWS)
    # Leaves wide enough that noise does not show, and narrow enough for a class of a few percent.
    model = tree(max_leaf_nodes=64, min_samples_leaf=max(3, rows // 200), random_state=1)
    return _score(model, [column], label)


def together(columns: Sequence[Column], label: Label) -> Score:
    """Return how well a random forest of some columns predicts the label."""
    # Gradient boosting is no better at this, and its threads wait for each other for long on a busy machine.
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    forest = RandomForestRegressor if label.task == "regression" else RandomForestClassifier
    return _score(forest(n_estimators=50, min_samples_leaf=3, random_state=1), columns, label)


def guess_mae(label: Label) -> float:
    """Return the mean absolute error of always answering the median of a regression's label."""
    return float(np.abs(label.target - np.median(label.target)).mean())


def _score(model: Any, columns: Sequence[Column], label: Label) -> Score:
    from sklearn import metrics
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict

    rows = _rows(label)
    x, y = np.stack([column.codes[rows] for column in columns], axis=1), label.target[rows]
    if label.task == "regression":
        found = cross_val_predict(model, x, y, cv=KFold(FOLDS, shuffle=True, random_state=1))
        value = float(metrics.r2_score(y, found))
        return Score(value, 1 - value, float(np.abs(y - found).mean()), NAMES["regression"])
    ids, places = np.unique(y, return_inverse=True)
    if len(ids) < 2:
        value, error = (0.5, 0.5) if label.task == "binary" else (label.majority, 1.0)
        return Score(value, error, 0.0, NAMES[label.task])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=1)
    found = cross_val_predict(model, x, places, cv=folds, method="predict_proba")
    if label.task == "binary":
        value = float(metrics.roc_auc_score(places, found[:, 1]))
        return Score(value, 1 - value, 0.0, NAMES["binary"])
    value = float((found.argmax(axis=1) == places).mean())
    return Score(value, (1 - value) / max(1 - label.majority, 1e-9), 0.0, NAMES["multiclass"])


def _rows(label: Label) -> np.ndarray:
    """Return the numbers of the rows to measure on, without those of classes too small to be in every fold."""
    rows = np.random.default_rng(1).permutation(len(label.target))[:MEASURED_ROWS]
    if label.task == "regression":
        return rows
    counts = np.bincount(label.target[rows])
    return rows[counts[label.target[rows]] >= FOLDS]
