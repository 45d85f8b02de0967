"""What a config searches, in words: how, for how long, for what, and every hyperparameter with its values."""

from collections.abc import Iterator

from pipeline.config import Config
from pipeline.tuner_config import Dimension, Range, Tuner


def lines(config: Config, completed: Config) -> Iterator[str]:
    """Yield the lines for the screen; none where nothing is searched.

    Args:
        config: as it is in the file.
        completed: with what its model supplies.
    """
    tuner = completed.tuner
    if tuner is None or tuner.space is None:
        return
    whose = f"the model {config.model.name}" if config.tuner is None or config.tuner.space is None else "the config"
    target = f"{tuner.direction} of {tuner.objective}"
    yield f"searches the space of {whose}: {_limits(tuner)}, {tuner.algorithm}, for the {target}"
    width = max(map(len, tuner.space))
    for name, dimension in tuner.space.items():
        yield f"  {name.ljust(width)}  {_values(dimension)}{_conditions(dimension)}"


def _limits(tuner: Tuner) -> str:
    trials = "as many trials as its schedule has" if tuner.max_trials is None else f"at most {tuner.max_trials} trials"
    minutes = "" if tuner.minutes is None else f", {tuner.minutes:g} minutes"
    return f"{trials} of {tuner.epochs} epochs{minutes}"


def _values(dimension: Dimension) -> str:
    for interval in (dimension.int, dimension.float):
        if interval is not None:
            return _interval(interval)
    return ", ".join(map(str, dimension.choice or (True, False)))


def _interval(interval: Range) -> str:
    step = "" if interval.step is None else f", step {interval.step:g}"
    sampling = "" if interval.sampling == "linear" else f", {interval.sampling}"
    return f"{interval.min:g} to {interval.max:g}{step}{sampling}"


def _conditions(dimension: Dimension) -> str:
    found = [f"{parent} {' or '.join(map(str, values))}" for parent, values in dimension.when.items()]
    return f"  with {' and '.join(found)}" if found else ""
