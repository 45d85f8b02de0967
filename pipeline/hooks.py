"""The functions a model module hands to TFX, by dotted path.

TFX reports a module that cannot be imported as "no such hook", and only in the middle of a run; here it is imported
and looked at before anything starts.
"""

import importlib
import inspect
import traceback
from collections.abc import Mapping

from pipeline import names, supplied
from pipeline.config import Config
from pipeline.errors import ConfigError

ARGUMENTS = {"preprocessing_fn": ("inputs", "custom_config"), "run_fn": ("fn_args",), "tuner_fn": ("fn_args",)}


def module_name(config: Config) -> str:
    """Return the dotted path of the model's module."""
    return config.model.name if "." in config.model.name else f"models.{config.model.name}"


def dotted(config: Config, hook: str) -> str:
    """Return the dotted path of one hook: `models.tabular.run_fn`."""
    return f"{module_name(config)}.{hook}"


def completed(config: Config) -> Config:
    """Return a config with what it leaves to its model, see `supplied.py`.

    Raises:
        ConfigError: there is nothing to complete it with.
    """
    return supplied.completed(config, importlib.import_module(module_name(config)))


def wanted(config: Config) -> list[str]:
    """Return the hooks that a config's steps call."""
    return ["preprocessing_fn", "run_fn"] + ["tuner_fn"] * (config.tuner is not None)


def mistakes(config: Config) -> list[str]:
    """Import the model's module and return what is wrong with its hooks, one line each; nothing when all is well."""
    name = module_name(config)
    try:
        module = importlib.import_module(name)
    except Exception as error:  # noqa: BLE001, whatever user code raises at import is the finding
        return [f"model.name: {name} cannot be imported, got {_cause(error)}; see the line named there"]
    found: list[str] = []
    try:
        config = supplied.completed(config, module)
    except ConfigError as error:
        found += error.lines
    for hook in wanted(config):
        function = getattr(module, hook, None)
        if not inspect.isfunction(function):
            functions = [key for key, value in vars(module).items() if inspect.isfunction(value)]
            found.append(f"model.name: {name} lacks a function {hook}, got none; {names.suggestion(hook, functions)}")
        elif tuple(inspect.signature(function).parameters) != ARGUMENTS[hook]:
            got = ", ".join(inspect.signature(function).parameters)
            found.append(
                f"model.name: {name}.{hook} takes other arguments, got ({got}); write ({', '.join(ARGUMENTS[hook])})"
            )
    found += _hyperparameter_mistakes(config, getattr(module, "DEFAULTS", None))
    return found + _algorithm_mistakes(config) + _vertex_mistakes(config)


def _hyperparameter_mistakes(config: Config, defaults: object) -> list[str]:
    """Return what a model that exports its hyperparameters as DEFAULTS does not have of those in the config."""
    if not isinstance(defaults, Mapping):
        return []
    found = []
    taught = config.training.distillation
    given = {
        "model.hyperparameters": config.model.hyperparameters,
        "tuner.space": config.tuner and config.tuner.space,
        "training.distillation.student": taught and taught.student,
    }
    for place, hyperparameters in given.items():
        for name in hyperparameters or ():
            # The rows of a step belong to the fit, and may be searched with any model.
            known = [*defaults, *["batch_size"] * (place == "tuner.space")]
            if name not in known:
                hint = names.suggestion(name, known)
                found.append(f"{place}: {module_name(config)} has no such hyperparameter, got {name!r}; {hint}")
    return found


def _algorithm_mistakes(config: Config) -> list[str]:
    """Import a tuner of one's own and return what is wrong with it."""
    if config.tuner is None or "." not in config.tuner.algorithm:
        return []
    import keras_tuner

    dotted = config.tuner.algorithm
    module, _, name = dotted.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # noqa: BLE001, whatever user code raises at import is the finding
        return [f"tuner.algorithm: {module} cannot be imported, got {_cause(error)}; see the line named there"]
    if isinstance(kind, type) and issubclass(kind, keras_tuner.Tuner):
        return []
    return [f"tuner.algorithm: no subclass of keras_tuner.Tuner, got {dotted!r}; derive one, or take random"]


def _vertex_mistakes(config: Config) -> list[str]:
    """Import TFX's extension for Vertex AI where a config wants it, and return what is wrong with it."""
    if config.tuner is None or config.tuner.vertex is None:
        return []
    try:
        importlib.import_module("components._tuner_vertex")
    except Exception as error:  # noqa: BLE001, of Google's clients too
        return [f"tuner.vertex: TFX's extension cannot be imported, got {_cause(error)}; take vertex out"]
    return []


def _cause(error: BaseException) -> str:
    """Return `ValueError: text (file:line)` for the innermost frame of an error."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
