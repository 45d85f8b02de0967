"""How much each hyperparameter matters: the share of the objective's variance that it explains on its own.

A random forest learns the objective from the trials; each hyperparameter's main effect is then the variance of the
forest's answer along it, averaged over all others on the whole space, as a share of the variance of all answers.
What no single one explains are interactions.

Source: Hutter, Hoos & Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance", ICML 2014; here by
sampling the space instead of walking the trees.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

TREES, POINTS, GRID = 100, 256, 24
LEAST_TRIALS = 4
# With fewer trials than this per hyperparameter, or in all, the shares are a hint at best.
TRIALS_EACH, TRIALS_IN_ALL = 5, 10
# Hyperband's: trials that were trained longer are better.
EPOCHS = "tuner/epochs"


def of_trials(space: Sequence[Any], trials: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the importance of each hyperparameter.

    Args:
        space: KerasTuner's hyperparameters.
        trials: rows of the report.

    Returns:
        None where there is nothing to learn from: fewer than 4 completed trials, or all with the same objective. Else
        `shares` (by name, 0..1, the largest first), `interactions` (0..1), `trials` (how many were learned from),
        `weak` (whether they are few) and `r2` (of the forest, for each trial from the trees that did not see it; 1 is
        perfect, 0 or less is no better than the mean).
    """
    finished = [trial for trial in trials if trial["objective"] is not None]
    y = np.array([trial["objective"] for trial in finished], np.float64)
    if len(finished) < LEAST_TRIALS or np.ptp(y) == 0:
        return None
    from sklearn.ensemble import RandomForestRegressor

    axes = {hp.name: _axis(hp) for hp in space}
    x = np.array([[_place(hp, trial) for hp in space] for trial in finished])
    epochs = [trial["hyperparameters"].get(EPOCHS) for trial in finished]
    if None not in epochs and len(set(epochs)) > 1:
        axes["epochs"], x = sorted({float(one) for one in epochs}), np.column_stack([x, epochs])
    forest = RandomForestRegressor(TREES, oob_score=True, random_state=0).fit(x, y)
    shares = _main_effects(forest, list(axes.values()))
    ranked = sorted(zip(axes, shares, strict=True), key=lambda pair: -pair[1])
    return {
        "shares": dict(ranked),
        "interactions": max(0.0, 1 - sum(shares)),
        "trials": len(finished),
        "weak": len(finished) < max(TRIALS_IN_ALL, TRIALS_EACH * len(axes)),
        "r2": float(forest.oob_score_),
    }


def _main_effects(forest: Any, axes: list[list[float]]) -> list[float]:
    """Return the share of each axis, 0..1; they sum to at most 1, but for the error of sampling."""
    random = np.random.default_rng(0)
    points = np.column_stack([random.choice(axis, POINTS) for axis in axes])
    total = forest.predict(points).var()
    shares = []
    for number, axis in enumerate(axes):
        moved = np.repeat(points[None], len(axis), axis=0)
        moved[:, :, number] = np.array(axis)[:, None]
        along = forest.predict(moved.reshape(-1, len(axes))).reshape(len(axis), POINTS).mean(axis=1)
        shares.append(float(along.var() / total) if total > 0 else 0.0)
    return shares


def _axis(hp: Any) -> list[float]:
    """Return places in 0..1 where the values of a hyperparameter lie in its space, as often as they are drawn."""
    return [hp.value_to_prob(hp.prob_to_value((step + 0.5) / GRID)) for step in range(GRID)]


def _place(hp: Any, trial: dict[str, Any]) -> float:
    """Return where the value of a trial lies in 0..1; below 0 where it was not drawn."""
    value = trial["hyperparameters"].get(hp.name)
    return -1.0 if value is None else hp.value_to_prob(value)
