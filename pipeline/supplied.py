"""What a config leaves to its model: the space of a search, how long to search, how long to train.

A model's module may export `SPACE`, which stands for the `tuner.space` of a config without one, and `CONFIG`, the keys
of `tuner` and `training` for which the model has defaults of its own. A model whose CONFIG has a `tuner` is searched
also where the config has no such section.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.section import Section
from pipeline.tuner_config import Tuner

SECTIONS = ("training", "tuner")


def completed(config: Config, model: ModuleType) -> Config:
    """Return a config with what its model supplies; what the config says itself goes before.

    Raises:
        ConfigError: the config leaves a space to a model that has none, or what the model supplies is wrong.
    """
    supplied = getattr(model, "CONFIG", {})
    if unknown := sorted(set(supplied) - set(SECTIONS)):
        raise ConfigError(f"model.name: {model.__name__}.CONFIG has {', '.join(SECTIONS)} only, got {unknown}")
    changes: dict[str, Any] = {}
    if "training" in supplied:
        changes["training"] = _merged(config.training, supplied["training"], f"{model.__name__}.CONFIG['training']")
    if config.tuner is not None or ("tuner" in supplied and "tuner" not in config.model_fields_set):
        changes["tuner"] = _tuner(config, model, supplied.get("tuner", {}))
    return config.model_copy(update=changes)


def _tuner(config: Config, model: ModuleType, supplied: Mapping[str, Any]) -> Tuner:
    given = config.tuner or Tuner()
    if given.space is None:
        supplied = {**supplied, "space": _space(config, model)}
    # Hyperband's own schedule says how many trials, and a job on Vertex AI keeps no minutes.
    unfit = {"max_trials": given.algorithm == "hyperband", "minutes": given.vertex is not None}
    supplied = {key: value for key, value in supplied.items() if not unfit.get(key)}
    return _merged(given, supplied, f"{model.__name__}.SPACE or CONFIG['tuner']")


def _space(config: Config, model: ModuleType) -> dict[str, Any]:
    """Return a model's space without what the config fixes.

    Raises:
        ConfigError: there is none, or nothing is left of it.
    """
    space = getattr(model, "SPACE", None)
    if space is None:
        raise ConfigError(f"tuner.space: is missing, got none; {model.__name__} exports no SPACE that stands for it")
    fixed = dict(config.model.hyperparameters)
    if "batch_size" in config.training.model_fields_set:
        fixed["batch_size"] = config.training.batch_size
    found = {name: content for name in space if (content := _left(name, space, fixed))}
    if not found:
        raise ConfigError(f"tuner: nothing is left to search, got fixed {', '.join(sorted(fixed))}; write tuner: off")
    return found


def _left(name: str, space: Mapping[str, Mapping[str, Any]], fixed: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a dimension with those of its conditions that are still open; None when it is fixed or never drawn."""
    if name in fixed:
        return None
    open_conditions = {}
    for parent, values in space[name].get("when", {}).items():
        if parent not in fixed:
            open_conditions[parent] = values
        elif fixed[parent] not in (values if isinstance(values, list) else [values]):
            return None
    if any(parent in space and _left(parent, space, fixed) is None for parent in open_conditions):
        return None
    return {**space[name], "when": open_conditions}


def _merged(given: Any, supplied: Mapping[str, Any], place: str) -> Any:
    """Return a section whose keys that the file leaves out come from the model."""
    kind: type[Section] = type(given)
    try:
        kind.model_validate(supplied)
    except ValidationError as error:
        wrong = error.errors()[0]
        key = ".".join(map(str, wrong["loc"]))
        got = f"{wrong['msg']}, got {wrong['input']!r}"
        raise ConfigError(f"model.name: {place}: {key}: {got}; its form is that of the config's section") from error
    own = {key: getattr(given, key) for key in given.model_fields_set}
    try:
        return kind.model_validate({**supplied, **own})
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(f"model.name: {place} does not go with what the config says: {why}") from error
