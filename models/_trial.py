"""One trial of a search: a network for a draw of hyperparameters, and how it is fitted."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import keras_tuner
import numpy as np

from models._inputs import Split


class Trial(keras_tuner.HyperModel):
    """What KerasTuner builds and fits for every draw.

    Args:
        build: from the values drawn, by name, to a compiled network.
        rows: the train split.
        evaluation: the eval split.
        training: the `training` part of custom_config.
        weights: float [classes], of a row by its label, or None.
    """

    def __init__(
        self,
        build: Callable[[Mapping[str, Any]], keras.Model],
        rows: Split,
        evaluation: Split,
        training: Mapping[str, Any],
        weights: np.ndarray | None,
    ) -> None:
        super().__init__()
        self._draw, self._rows, self._evaluation = build, rows, evaluation
        self._training, self._weights = training, weights

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        return self._draw(hp.values)

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, **fit_kwargs: Any) -> keras.callbacks.History:
        """Fit, each time on a dataset of its own, so that no trial's order of rows depends on those before it.

        Args:
            hp: may hold a `batch_size`, rows per step; else it is the config's.
            model: as built.
            fit_kwargs: of `keras.Model.fit`.
        """
        size = hp.values.get("batch_size", self._training["batch_size"])
        # Hyperband's longer trials go on where shorter ones ended.
        epochs = range(fit_kwargs.get("initial_epoch", 0), fit_kwargs["epochs"])
        return model.fit(
            self._rows.epochs(size, epochs, self._training["seed"], weights=self._weights),
            steps_per_epoch=math.ceil(self._rows.rows / size),
            validation_data=self._evaluation.batches(
                min(self._training["eval_batch_size"], self._evaluation.block_rows)
            ),
            **fit_kwargs,
        )
