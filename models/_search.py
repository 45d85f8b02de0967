"""The search space of a config as KerasTuner's hyperparameters, and the tuner that walks it."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import keras_tuner


def hyperparameters(space: Mapping[str, Mapping[str, Any]]) -> keras_tuner.HyperParameters:
    """Declare a search space.

    Args:
        space: by name, {"choice": [...]}, {"int": {"min", "max", "step", "sampling"}}, {"float": {...}} or
            {"boolean": true}; the inner keys are KerasTuner's own, but for min and max.
    """
    declared = keras_tuner.HyperParameters()
    for name, kinds in space.items():
        ((kind, options),) = kinds.items()
        if kind == "choice":
            declared.Choice(name, list(options))
        elif kind == "boolean":
            declared.Boolean(name)
        else:
            rest = {key: value for key, value in options.items() if key not in ("min", "max")}
            declare = declared.Int if kind == "int" else declared.Float
            declare(name, options["min"], options["max"], **rest)
    return declared


def random_search(
    build: Callable[[keras_tuner.HyperParameters], keras.Model], config: Mapping[str, Any], directory: str
) -> keras_tuner.Tuner:
    """Return a KerasTuner RandomSearch over the config's space.

    Args:
        build: returns a compiled model for a draw of hyperparameters.
        config: the `tuner` part of custom_config.
        directory: where the trials are kept.
    """
    return keras_tuner.RandomSearch(
        build,
        objective=keras_tuner.Objective(config["objective"], config["direction"]),
        max_trials=config["max_trials"],
        seed=config["seed"],
        hyperparameters=hyperparameters(config["space"]),
        tune_new_entries=False,
        directory=directory,
        project_name="search",
    )
