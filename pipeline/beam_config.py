"""The `beam` section of the config: what runs the steps that are Beam pipelines, and how."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.section import Section

Value = bool | int | float | str | list[str] | dict[str, Any]
# Beam's options that have a key of ours.
OWN = {"runner": "runner", "direct_running_mode": "mode", "direct_num_workers": "workers"}
# The standard steps that are Beam pipelines.
STEPS = ("ExampleGen", "StatisticsGen", "Transform", "Evaluator")


class Engine(Section):
    """What runs one step. What a step leaves out, it takes from all steps that have its runner.

    Attributes:
        runner: direct, in processes of this machine, unless named.
        mode: of the direct runner; in_memory is one worker in this process, multi_processing several beside it, auto
            the one that is faster for these data on this machine.
        workers: of multi_processing; None takes as many as there are cores.
        options: Beam's own, by their names.
    """

    runner: Literal["direct", "dataflow", "flink", "spark"] | None = None
    mode: Literal["auto", "in_memory", "multi_processing"] | None = None
    workers: Annotated[int, Field(gt=0)] | None = None
    options: dict[str, Value] = {}

    @field_validator("options")
    @classmethod
    def _ours_by_our_name(cls, options: dict[str, Value]) -> dict[str, Value]:
        for name in OWN.keys() & options.keys():
            raise ValueError(f"{name} has a key of its own, got {options[name]!r}; write {OWN[name]}: beside options")
        return options

    @model_validator(mode="after")
    def _of_the_direct_runner(self) -> "Engine":
        for key in ("mode", "workers"):
            value = getattr(self, key)
            if value is not None and self.runner not in (None, "direct"):
                raise ValueError(f"{key} is of the direct runner, got {value!r} for {self.runner}; take it out")
        if self.workers is not None and self.mode == "in_memory":
            raise ValueError(f"in_memory is one worker, got {self.workers} workers; take them out")
        return self


class Beam(Engine):
    """What runs the steps of a pipeline that are Beam pipelines; none of it is part of what the cache knows a step by.

    Attributes:
        steps: what is different for one step, by its name.
    """

    steps: dict[str, Engine] = {}

    def engine(self, step: str) -> Engine:
        """Return what runs one step, every key of the runner filled in."""
        own = self.steps.get(step, Engine())
        runner = own.runner or self.runner or "direct"
        keys: dict[str, Any] = {"runner": runner, "options": own.options}
        mode, workers = own.mode, own.workers
        if runner == (self.runner or "direct"):
            keys["options"] = {**self.options, **own.options}
            mode = mode or self.mode
            workers = workers or (None if mode == "in_memory" else self.workers)
        if runner == "direct":
            keys |= {"mode": mode or "auto", "workers": workers}
        return Engine.model_validate(keys)
