"""`slipway init`: a plan as a config that people read, a reason beside every choice."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline import init_features
from pipeline.init_label import shown
from pipeline.init_plan import Plan


@dataclass(frozen=True)
class Place:
    """Names and paths of what is written.

    Attributes:
        name: of the pipeline.
        config: the file to write.
        schema: likewise.
        data: path or glob of the raw files, relative to the config.
        kind: format of the files.
        options: of the loader.
        rows: how many there are.
        rename: names in the config by column of the files.
    """

    name: str
    config: Path
    schema: Path
    data: str
    kind: str
    options: Mapping[str, Any]
    rows: int
    rename: Mapping[str, str]


def text(place: Place, plan: Plan) -> str:
    """Return the config as YAML."""
    parts = [_head(place, plan), _data(place), _label(plan), _features(plan), _learning(plan), _evaluation(plan)]
    return "\n\n".join(parts) + "\n\nmobile: off # .tflite files for phones: see docs/mobile.md\n"


def inline(value: Any) -> str:
    """Return a value as YAML on one line."""
    dumped = yaml.safe_dump(value, default_flow_style=True, width=2**31, allow_unicode=True, sort_keys=False)
    return dumped.removesuffix("\n").removesuffix("\n...")


def _head(place: Place, plan: Plan) -> str:
    return (
        f"# {shown(plan.label.name)} from {place.rows:,} rows, {plan.label.task}.\n"
        "# Written by `slipway init`: every line is a proposal from the data, and its comment says why. Review it.\n"
        f"# Run: {_command(place)}\n"
        f"name: {inline(place.name)}"
    )


def _command(place: Place) -> str:
    """Return the command that runs the config, to paste into a shell."""
    return shlex.join(["slipway", "run", str(place.config)])


def _data(place: Place) -> str:
    lines = ["data:", f"  path: {inline(place.data)}", f"  format: {place.kind}"]
    if place.options:
        lines.append(f"  options: {inline(dict(place.options))}")
    if place.rename:
        lines.append("  rename: # TensorFlow serves names of letters, digits, _, . and - only")
        lines += [f"    {inline(name)}: {inline(new)}" for name, new in place.rename.items()]
    lines.append("  split: {train: 2, eval: 1} # by the hash of a row, which so stays in its split for ever")
    schema = (
        f"schema: {inline(place.schema.name)} # data that do not fit it are refused; `slipway schema diff` says why"
    )
    return "\n".join([*lines, "", schema])


def _label(plan: Plan) -> str:
    label = plan.label
    lines = ["label:", f"  name: {inline(label.name)}", f"  task: {label.task} # {label.reason}"]
    if label.classes:
        note = " # the second one is the positive one" if label.task == "binary" else ""
        lines.append(f"  classes: {inline(list(label.classes))}{note}")
    return "\n".join(lines)


def _features(plan: Plan) -> str:
    lines = ["features:"]
    if plan.left_out:
        lines.append("  exclude:")
        lines += [f"    - {inline(name)} # {why}" for name, why in plan.left_out.items()]
    lines.append("  columns:")
    for name, column in plan.features.items():
        lines.append(f"    {inline(name)}: {inline(plan.transforms[name])} # {init_features.about(column)}")
    return "\n".join(lines)


def _learning(plan: Plan) -> str:
    space = plan.tuner["space"]
    lines = ["model:", "  name: tabular", "", "tuner:"]
    lines += [f"  {key}: {inline(value)}" for key, value in plan.tuner.items() if key != "space"]
    lines += ["  space:", *(f"    {key}: {inline(value)}" for key, value in space.items())]
    lines += ["", "training:", *(f"  {key}: {inline(value)}" for key, value in plan.training.items())]
    return "\n".join(lines)


def _evaluation(plan: Plan) -> str:
    lines = ["evaluation:", f"  metrics: {inline(plan.metrics)}"]
    if plan.slices:
        lines += ["  slices:", *(f"    - {inline([name])}" for name in plan.slices)]
    lines.append("  thresholds:")
    lines += [f"    - {inline(threshold.bound)} # {threshold.reason}" for threshold in plan.thresholds]
    return "\n".join(lines)


def summary(place: Place, plan: Plan) -> list[str]:
    """Return what was found and written, as a short table for the screen."""
    best, score = plan.best
    worse = "" if score.better_than_guessing else ", no better than guessing"
    table = [
        ("rows", f"{place.rows:,}"),
        ("label", f"{plan.label.name}: {plan.label.task}, {plan.label.reason}"),
        *(("left out", f"{name}: {why}") for name, why in plan.left_out.items()),
        ("features", f"{len(plan.features)}; alone, {best} predicts best: {score}" + worse),
    ]
    if place.rename:
        (name, new), count = next(iter(place.rename.items())), len(place.rename)
        told = f"{count} column{'s' * (count > 1)} that could not be served, such as {name!r}, now {new}"
        table.append(("renamed", told))
    table += [("slices", ", ".join(plan.slices))] * bool(plan.slices)
    table += [("threshold", f"{inline(threshold.bound)}: {threshold.reason}") for threshold in plan.thresholds[:1]]
    table += [("written", f"{place.config}, {place.schema}"), ("next", _command(place))]
    keys = [key if i == 0 or table[i - 1][0] != key else "" for i, (key, _) in enumerate(table)]
    return [f"{key:<10} {told}" for key, (_, told) in zip(keys, table, strict=True)]
