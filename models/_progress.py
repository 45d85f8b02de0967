"""Progress of long work, as log records that a runner may show and anything else may ignore.

The logger's name is the whole contract: whoever listens to `slipway.progress` finds the attributes `done` and `total`
on each record.
"""

import logging
from typing import Any

import keras

LOGGER = logging.getLogger("slipway.progress")


def report(text: str, done: int, total: int) -> None:
    """Say that `done` of `total` units of the current step are finished."""
    LOGGER.info(text, extra={"done": done, "total": total})


class EpochProgress(keras.callbacks.Callback):
    """Reports every epoch of a fit with its metrics."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Report the epoch that ended."""
        figures = " ".join(
            f"{name} {value:.4f}" for name, value in (logs or {}).items() if "loss" in name or "auc" in name
        )
        report(f"epoch {epoch + 1}: {figures}", epoch + 1, self.params["epochs"])
