"""The `tuner` section of the config: which hyperparameters are searched, how, and for how long."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pipeline import names
from pipeline.section import Section

ALGORITHMS = ("random", "grid", "bayesian", "hyperband")
# Options that mean something to one of the algorithms only.
OWNERS = {"initial_points": "bayesian", "factor": "hyperband", "iterations": "hyperband"}
MAX_TRIALS = 5

Scalar = str | bool | int | float


class Range(Section):
    """An interval of a search space, both ends included."""

    min: float | int
    max: float | int
    step: float | int | None = None
    sampling: Literal["linear", "log", "reverse_log"] = "linear"

    @model_validator(mode="after")
    def _possible(self) -> "Range":
        if self.min >= self.max:
            raise ValueError(f"min must be below max, got {self.min} and {self.max}; swap them")
        if self.sampling != "linear" and self.min <= 0:
            raise ValueError(f"{self.sampling} needs a min above 0, got {self.min}; raise it, or take linear")
        least = 0 if self.sampling == "linear" else 1
        if self.step is not None and self.step <= least:
            raise ValueError(f"the step must be above {least}, got {self.step}; a step of log multiplies")
        return self


def _one_type(values: Any) -> Any:
    """Return the values of a choice, whole numbers among decimal ones as decimals; KerasTuner takes one type."""
    if not isinstance(values, list):
        return values
    kinds = {type(value) for value in values}
    if kinds == {int, float}:
        return [float(value) for value in values]
    if len(kinds) > 1 or not kinds <= {str, bool, int, float}:
        raise ValueError(f"a choice has values of one kind, got {values}; make all of them text, or all numbers")
    return values


def _as_list(value: Any) -> Any:
    """Return {name: value} as {name: [value]}."""
    if not isinstance(value, dict):
        return value
    return {name: one if isinstance(one, list) else [one] for name, one in value.items()}


class Dimension(Section):
    """One hyperparameter of a search space: exactly one of its kinds.

    Attributes:
        choice: the values.
        int: whole numbers.
        float: numbers.
        boolean: true or false.
        when: values of other hyperparameters with which this one plays a part; elsewhere it is not drawn.
    """

    choice: Annotated[list[Scalar], BeforeValidator(_one_type), Field(min_length=1)] | None = None
    int: Range | None = None
    float: Range | None = None
    boolean: Literal[True] | None = None
    when: Annotated[dict[str, Annotated[list[Scalar], Field(min_length=1)]], BeforeValidator(_as_list)] = {}

    @model_validator(mode="after")
    def _one_kind(self) -> "Dimension":
        given = sorted(self.model_fields_set - {"when"})
        if len(given) != 1:
            raise ValueError(f"needs exactly one of choice, int, float, boolean, got {given}; keep one")
        bounds = [] if self.int is None else [self.int.min, self.int.max, self.int.step or 1]
        if any(bound != round(bound) for bound in bounds):
            raise ValueError(f"an int has whole bounds and steps, got {bounds}; round them, or make it a float")
        return self


class Vertex(Section):
    """The machines on Google Cloud that search in place of this one.

    Attributes:
        project, region: where the job runs.
        image: a container image in which this installation can be imported.
        machine: its machine type; `tuner.workers` says how many.
        service_account: that the job runs as; None takes the project's default.
    """

    project: str
    region: str
    image: str
    machine: str = "n1-standard-8"
    service_account: str | None = None


class Tuner(Section):
    """The search for hyperparameters.

    Attributes:
        algorithm: random, grid, bayesian, hyperband, or a `keras_tuner.Tuner` subclass by dotted path.
        objective: the metric of validation that decides.
        direction: whether more or less of it is better.
        max_trials: how many draws are trained; hyperband's own schedule says how many unless it is given.
        executions_per_trial: how often each draw is trained; its score is the mean.
        epochs: at most so many per trial.
        patience: a trial stops after so many epochs without a better value of `training.monitor`.
        minutes: no trial starts after so many, and those at work end with their epoch; None has no limit.
        workers: processes that train trials at the same time.
        vertex: search on Vertex AI.
        seed: of the draws, and of each trial's weights.
        initial_points: bayesian draws so many at random first; None takes a third of the trials, at least 2.
        factor: hyperband keeps one in so many, and trains it so many times longer.
        iterations: how often hyperband goes through its schedule.
        space: the hyperparameters to search, by name; None takes the model's own.
    """

    algorithm: str = "random"
    objective: str = "val_loss"
    direction: Literal["min", "max"] = "min"
    max_trials: Annotated[int | None, Field(gt=0)] = Field(
        default_factory=lambda given: None if given.get("algorithm") == "hyperband" else MAX_TRIALS
    )
    executions_per_trial: Annotated[int, Field(gt=0)] = 1
    epochs: Annotated[int, Field(gt=0)] = 5
    patience: Annotated[int, Field(ge=0)] = 2
    minutes: Annotated[float | None, Field(gt=0)] = None
    workers: Annotated[int, Field(gt=0)] = 1
    vertex: Vertex | None = None
    seed: Annotated[int, Field(gt=0)] = 1
    initial_points: Annotated[int | None, Field(gt=0)] = None
    factor: Annotated[int, Field(ge=2)] = 3
    iterations: Annotated[int, Field(gt=0)] = 1
    space: Annotated[dict[str, Dimension], Field(min_length=1)] | None = None

    @field_validator("algorithm")
    @classmethod
    def _known_algorithm(cls, name: str) -> str:
        if "." not in name:
            names.require(name, ALGORITHMS, what="algorithm")
        return name

    @field_validator("space")
    @classmethod
    def _conditions_can_hold(cls, space: dict[str, Dimension] | None) -> dict[str, Dimension] | None:
        if space is None:
            return None
        for name, dimension in space.items():
            for parent, values in dimension.when.items():
                _require_condition(name, parent, values, space)
        for name in space:
            _require_no_circle(name, space)
        return space

    @model_validator(mode="after")
    def _options_of_the_algorithm(self) -> "Tuner":
        for option, owner in OWNERS.items():
            if option in self.model_fields_set and self.algorithm in ALGORITHMS and self.algorithm != owner:
                raise ValueError(f"{option} belongs to {owner}, got algorithm {self.algorithm!r}; take it out")
        if self.max_trials is None and self.algorithm != "hyperband":
            raise ValueError(f"{self.algorithm} needs a number of trials, got none; set max_trials, or take hyperband")
        if self.vertex and self.minutes is not None:
            raise ValueError(f"a job on Vertex AI keeps no minutes, got {self.minutes:g}; limit max_trials")
        if self.vertex and self.max_trials is None:
            raise ValueError("hyperband on Vertex AI needs a number of trials, got none; set max_trials")
        return self


def _require_condition(name: str, parent: str, values: list[Scalar], space: Mapping[str, Dimension]) -> None:
    if parent not in space:
        known = sorted(set(space) - {name})
        raise ValueError(f"{name}.when: no such hyperparameter, got {parent!r}; {names.suggestion(parent, known)}")
    dimension = space[parent]
    possible = [True, False] if dimension.boolean else dimension.choice
    if possible is None and dimension.int is None:
        raise ValueError(f"{name}.when: a float is no condition, got {parent!r}; take a choice, boolean or int")
    if possible is not None and (impossible := [value for value in values if value not in possible]):
        raise ValueError(f"{name}.when.{parent}: never drawn, got {impossible}; there are {possible}")
    if bounds := dimension.int:
        outside = [value for value in values if not (isinstance(value, int) and bounds.min <= value <= bounds.max)]
        if outside:
            raise ValueError(f"{name}.when.{parent}: never drawn, got {outside}; it lies in {bounds.min}..{bounds.max}")


def _require_no_circle(name: str, space: Mapping[str, Dimension]) -> None:
    waiting, seen = list(space[name].when), set()
    while waiting:
        parent = waiting.pop()
        if parent == name:
            raise ValueError(f"{name}.when: depends on itself, got {list(space[name].when)}; break the circle")
        if parent not in seen:
            seen.add(parent)
            waiting += space[parent].when
