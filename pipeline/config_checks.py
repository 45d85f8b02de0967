"""What the sections of a config say against each other, and against the files and columns there are."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline import beam_config, data_files, names, spans
from pipeline.beam_config import Beam
from pipeline.config import Evaluation, Label
from pipeline.data_config import Data, Split
from pipeline.errors import DataError
from pipeline.metrics import METRICS
from pipeline.training_config import Training, require_monitor
from pipeline.yaml_file import Path_, YamlFile


def mistakes(source: YamlFile, sections: Mapping[str, Any], data_root: Path, span: str | None) -> list[str]:
    """Return what is wrong with sections that are valid each on its own, one line each."""
    found = []
    schema = sections.get("schema_file")
    if schema and not (source.path.parent / schema).is_file():
        found.append(f"{source.place(('schema',))}: no such file, got {schema!r}; `slipway run` infers one without")
    if "label" in sections and "features" in sections:
        found += _against_label(source, sections)
    if "training" in sections and "evaluation" in sections:
        found += _against_evaluation(source, sections["training"], sections["evaluation"])
    if "label" in sections and "data" in sections:
        found += _split_against_label(source, sections["data"].split, sections["label"])
    found += _vertex_against_root(source, sections) + _airflow_against_data(source, sections)
    if "beam" in sections:
        found += _beam_steps(source, [*beam_config.STEPS, *(sections.get("components") or ())], sections["beam"])
    columns: list[str] = []
    wrong_options = _against_loader(source, sections["data"]) if "data" in sections else []
    found += wrong_options
    try:
        known = "data" in sections and not wrong_options
        header = _header(source, sections["data"], data_root, span) if known else []
        columns, wrong_names = _renamed(source, header, sections["data"].rename) if header else ([], [])
        found += wrong_names
    except OSError as error:
        found.append(f"{source.place(('data',))}: {error}")
    except spans.NoSpan as error:
        found.append(f"--span: {error}")
    if schema and (source.path.parent / schema).is_file():
        # The schema is the contract. A column that the files lack is no mistake of the config: the data are refused.
        columns = [feature.name for feature in data_files.curated_schema(source.path.parent / schema).feature]
    for key, name in _column_names(sections) if columns else ():
        try:
            names.require(name, columns, what="column of the data")
        except ValueError as error:
            found.append(f"{source.place(key)}: {error}")
    return found


def _against_loader(source: YamlFile, data: Data) -> list[str]:
    """Check the options of the loader."""
    mistakes, name = [], data_files.data_format(data)
    known = names.load("data.loaders", name).OPTIONS
    for key, value in data.options.items():
        try:
            names.require(key, known, what=f"option of the format {name}")
            known[key](value)
        except ValueError as error:
            mistakes.append(f"{source.place(('data', 'options', key))}: {error}")
    return mistakes


def _against_label(source: YamlFile, sections: Mapping[str, Any]) -> list[str]:
    mistakes, label, features = [], sections["label"], sections["features"]
    if label.name in features.columns:
        key = ("features", "columns", label.name)
        mistakes.append(f"{source.place(key)}: is the label, got {label.name!r} as a feature too; take it out")
    for name in sorted(set(features.columns) & set(features.exclude)):
        key = ("features", "columns", name)
        mistakes.append(f"{source.place(key)}: is also excluded, got {name!r} in both; keep it in one place")
    for metric_key, name in _metric_names(sections.get("evaluation")):
        if label.task not in METRICS[name].tasks:
            fit = [other for other, metric in METRICS.items() if label.task in metric.tasks]
            text = f"is not defined for a {label.task} label, got {name!r}; there are {', '.join(fit)}"
            mistakes.append(f"{source.place(metric_key)}: {text}")
    training = sections.get("training")
    if training and training.class_weight != "none" and label.task == "regression":
        place = source.place(("training", "class_weight"))
        mistakes.append(f"{place}: a regression label has no classes, got {training.class_weight!r}; take it out")
    if training and training.sample_weight in (label.name, *features.columns):
        place, got = source.place(("training", "sample_weight")), training.sample_weight
        mistakes.append(f"{place}: a weight is neither label nor feature, got {got!r}; name another column")
    if training:
        try:
            require_monitor(training.monitor, label.task)
        except ValueError as error:
            mistakes.append(f"{source.place(('training', 'monitor'))}: {error}")
    return mistakes


def _against_evaluation(source: YamlFile, training: Training, evaluation: Evaluation | None) -> list[str]:
    if training.warm_start and evaluation is None:
        place = source.place(("training", "warm_start"))
        return [f"{place}: begins with the last blessed model, got evaluation: off, which blesses none; drop one"]
    return []


def _vertex_against_root(source: YamlFile, sections: Mapping[str, Any]) -> list[str]:
    tuner, root = sections.get("tuner"), sections.get("pipeline_root")
    if not (tuner and tuner.vertex and root) or root.startswith("/gcs/"):
        return []
    place = source.place(("pipeline_root",))
    return [f"{place}: tuner.vertex finds artifacts below /gcs/ only, got {root}; mount the bucket, /gcs/BUCKET/…"]


def _airflow_against_data(source: YamlFile, sections: Mapping[str, Any]) -> list[str]:
    airflow, data = sections.get("airflow"), sections.get("data")
    if not (airflow and data and airflow.span in ("day", "interval")) or "YYYY" in data.span_signs:
        return []
    text = f"the data have no spans that are days, got {airflow.span!r}; write latest, or {{YYYY}}{{MM}}{{DD}} into"
    return [f"{source.place(('airflow', 'span'))}: {text} data.path"]


def _split_against_label(source: YamlFile, split: Split, label: Label) -> list[str]:
    place = source.place(("data", "split", "by"))
    if split.by == "stratified" and split.column is None and label.task == "regression":
        return [f"{place}: a regression label has no classes, got 'stratified'; name a column, or write by: random"]
    if split.by == "group" and split.column == label.name:
        return [f"{place}: no class may be in one split alone, got a group by the label; write by: stratified"]
    return []


def _beam_steps(source: YamlFile, known: Collection[str], beam: Beam) -> list[str]:
    mistakes = []
    for name in beam.steps:
        try:
            names.require(name, known, what="step that is a Beam pipeline")
        except ValueError as error:
            mistakes.append(f"{source.place(('beam', 'steps', name))}: {error}")
    return mistakes


def _metric_names(evaluation: Evaluation | None) -> Iterator[tuple[Path_, str]]:
    if evaluation:
        yield from ((("evaluation", "metrics"), name) for name in evaluation.metrics)
        for i, threshold in enumerate(evaluation.thresholds):
            yield ("evaluation", "thresholds", i, "metric"), threshold.metric


def _column_names(sections: Mapping[str, Any]) -> Iterator[tuple[Path_, str]]:
    """Yield every column that a valid section names, with the key that names it."""
    if "label" in sections:
        yield ("label", "name"), sections["label"].name
    if "data" in sections and sections["data"].split.column is not None:
        yield ("data", "split", "column"), sections["data"].split.column
    if "features" in sections:
        yield from ((("features", "columns", name), name) for name in sections["features"].columns)
        yield from ((("features", "exclude", i), name) for i, name in enumerate(sections["features"].exclude))
    if "training" in sections and sections["training"].sample_weight is not None:
        yield ("training", "sample_weight"), sections["training"].sample_weight
    evaluation = sections.get("evaluation")
    if evaluation:
        for i, columns in enumerate(evaluation.slices):
            yield from ((("evaluation", "slices", i), name) for name in columns)
        for i, threshold in enumerate(evaluation.thresholds):
            yield from ((("evaluation", "thresholds", i, "slice"), name) for name in threshold.slice)


def _header(source: YamlFile, data: Data, data_root: Path, span: str | None) -> list[str]:
    """Return the columns of the raw files, from their beginning only; none for a query.

    Raises:
        OSError: there are no such files.
        DataError: the files have no readable header.
        NoSpan: there is no such span.
    """
    if data.query is not None:
        return []
    loader = names.load("data.loaders", data_files.data_format(data))
    inputs = data_files.inputs(data, source.path, data_root, span)
    paths = [path for patterns in inputs.patterns.values() for one in patterns for path in loader.matching_files(one)]
    try:
        return loader.column_names(paths[0], data.options)
    except ValueError as error:
        raise DataError(f"{source.place(('data',))}: the data are refused: {error}") from error


def _renamed(source: YamlFile, header: list[str], rename: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the columns under their names in the config, and what is wrong with the new names."""
    mistakes, columns = [], [rename.get(name, name) for name in header]
    for name, new in rename.items():
        place = source.place(("data", "rename", name))
        try:
            names.require(name, header, what="column of the data")
        except ValueError as error:
            mistakes.append(f"{place}: {error}")
        if columns.count(new) > 1:
            mistakes.append(f"{place}: two columns would have one name, got {new!r} again; choose another")
    return columns, mistakes
