"""What a finished step found: its key figure, the lines that belong under it, and the exit code that they call for."""

from dataclasses import dataclass, field
from typing import Any

from pipeline import balance, figures, mobile, step_times, trials, verdict, warm_start
from pipeline.config import Config
from pipeline.errors import DONE, NOT_BLESSED
from pipeline.node import Outputs


@dataclass(frozen=True)
class Finding:
    """What a person wants to know of a finished step.

    Attributes:
        figure: a few words, beside its name.
        lines: whole sentences, below it.
        exit_code: not 0 when the run did what it should, and what it made may not go out.
        details: for programs: plain JSON.
    """

    figure: str = ""
    lines: list[str] = field(default_factory=list)
    exit_code: int = DONE
    details: dict[str, Any] = field(default_factory=dict)


def of(step: str, config: Config, outputs: Outputs) -> Finding:
    """Return what a step found; most have a figure and no more."""
    return MORE[step](config, outputs) if step in MORE else Finding(figures.figure(step, outputs))


def _statistics(config: Config, outputs: Outputs) -> Finding:
    splits = balance.read(outputs, config.label)
    return Finding(balance.line(splits, config.label), details=balance.as_json(splits))


def _tuner(_: Config, outputs: Outputs) -> Finding:
    return Finding(figures.figure("Tuner", outputs), trials.lines(figures.trial_report(outputs)))


def _trainer(_: Config, outputs: Outputs) -> Finding:
    times, begun = figures.step_times(outputs), figures.warm_starts(outputs)
    lines = warm_start.lines(begun) + step_times.lines(times)
    return Finding(figures.figure("Trainer", outputs), lines, details={"step_times": times, "warm_start": begun})


def _evaluator(config: Config, outputs: Outputs) -> Finding:
    gate = verdict.read(config, *(outputs[key][0].uri for key in ("evaluation", "blessing")))
    return Finding(verdict.summary(gate.values), gate.lines, DONE if gate.blessed else NOT_BLESSED)


def _tflite(_: Config, outputs: Outputs) -> Finding:
    report = figures.mobile_report(outputs)
    return Finding(figures.figure("TfLite", outputs), mobile.lines(report), mobile.exit_code(report))


MORE = {
    "StatisticsGen": _statistics, "Tuner": _tuner, "Trainer": _trainer, "Evaluator": _evaluator, "TfLite": _tflite,
}  # fmt: skip
