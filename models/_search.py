"""The search of a config: its space as KerasTuner's hyperparameters, and the tuner that walks it."""

import importlib
from collections.abc import Mapping
from typing import Any

import keras_tuner
from keras_tuner.src.engine.conditions import Parent

ALGORITHMS = {
    "random": keras_tuner.RandomSearch,
    "grid": keras_tuner.GridSearch,
    "bayesian": keras_tuner.BayesianOptimization,
    "hyperband": keras_tuner.Hyperband,
}


def hyperparameters(space: Mapping[str, Mapping[str, Any]]) -> keras_tuner.HyperParameters:
    """Declare a search space.

    Args:
        space: by name, {"choice": [...]}, {"int": {"min", "max", "step", "sampling"}}, {"float": {...}} or
            {"boolean": true}; the inner keys are KerasTuner's own, but for min and max. Beside its kind, "when": by
            name of another hyperparameter, the values with which this one is drawn.
    """
    declared = keras_tuner.HyperParameters()
    for name in _parents_first(space):
        # KerasTuner's conditional_scope knows no two conditions side by side.
        declared._conditions = [Parent(*condition) for condition in _conditions(name, space).items()]
        _declare(declared, name, {kind: options for kind, options in space[name].items() if kind != "when"})
    declared._conditions = []
    return declared


def _parents_first(space: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the names, every one after those it depends on."""
    return list(dict.fromkeys(one for name in space for one in (*_conditions(name, space), name)))


def _conditions(name: str, space: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the values that other hyperparameters must have, those that they depend on before them."""
    found: dict[str, list[Any]] = {}
    for parent, values in space[name].get("when", {}).items():
        found |= {**_conditions(parent, space), parent: values}
    return found


def _declare(declared: keras_tuner.HyperParameters, name: str, kinds: Mapping[str, Any]) -> None:
    ((kind, options),) = kinds.items()
    if kind == "choice":
        declared.Choice(name, list(options))
    elif kind == "boolean":
        declared.Boolean(name)
    else:
        rest = {key: value for key, value in options.items() if key not in ("min", "max")}
        declare = declared.Int if kind == "int" else declared.Float
        declare(name, options["min"], options["max"], **rest)


def tuner(hypermodel: keras_tuner.HyperModel, config: Mapping[str, Any], directory: str) -> keras_tuner.Tuner:
    """Return the tuner of a config.

    Args:
        hypermodel: builds and fits a model for a draw of hyperparameters.
        config: the `tuner` part of custom_config.
        directory: where the trials are kept; a tuner of the same directory goes on with them.
    """
    name = config["algorithm"]
    kind = ALGORITHMS.get(name) or _class(name)
    drawn: dict[str, Any] = {
        "objective": keras_tuner.Objective(config["objective"], config["direction"]),
        "seed": config["seed"],
        "hyperparameters": hyperparameters(config["space"]),
        # A tuner of one's own may ask for more than the config declares.
        "tune_new_entries": name not in ALGORITHMS,
    }
    kept = {"executions_per_trial": config["executions_per_trial"], "directory": directory, "project_name": "search"}
    if issubclass(kind, keras_tuner.Hyperband):
        schedule = {"max_epochs": config["epochs"], "factor": config["factor"]}
        found = kind(hypermodel, hyperband_iterations=config["iterations"], **schedule, **drawn, **kept)
        found.oracle.max_trials = config.get("max_trials")
        return found
    drawn["max_trials"] = config["max_trials"]
    if issubclass(kind, keras_tuner.BayesianOptimization):
        # KerasTuner's own default, three per hyperparameter, leaves short searches without a single informed draw.
        drawn["num_initial_points"] = config.get("initial_points") or max(2, config["max_trials"] // 3)
    if issubclass(kind, tuple(ALGORITHMS.values())):
        return kind(hypermodel, **drawn, **kept)
    return kind(oracle=keras_tuner.oracles.RandomSearchOracle(**drawn), hypermodel=hypermodel, **kept)


def of_network(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a network is built from: a draw without the batch size, which `fit` takes, and Hyperband's own."""
    return {name: value for name, value in values.items() if name != "batch_size" and not name.startswith("tuner/")}


def _class(dotted: str) -> type[keras_tuner.Tuner]:
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)
