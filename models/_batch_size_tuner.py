"""A tuner of one's own, as `tuner.algorithm: models._batch_size_tuner.BatchSizeTuner`: it tunes the batch size too.

The batch size is no property of the network, so no `build` can ask for it: it is drawn in `run_trial`, and the fit
finds it among the trial's hyperparameters, as the Trainer does among the best.
"""

from typing import Any

import keras_tuner

BATCH_SIZES = [32, 64, 128, 256]


class BatchSizeTuner(keras_tuner.BayesianOptimization):
    """Bayesian search over the config's space, and the batch size; a `batch_size` in the space goes before ours."""

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        """Train one draw with a batch size of its own."""
        trial.hyperparameters.Choice("batch_size", BATCH_SIZES, default=128)
        return super().run_trial(trial, *args, **kwargs)
