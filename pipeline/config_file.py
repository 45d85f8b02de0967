"""From a YAML file to a Config: every mistake at once, each with its line, its value and what was probably meant."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from google.protobuf import text_format
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline import names, spans, yaml_file
from pipeline.config import Config, Evaluation, Label
from pipeline.data_config import Data, Split
from pipeline.errors import ConfigError, DataError
from pipeline.home import home_root
from pipeline.metrics import METRICS
from pipeline.section import Section
from pipeline.yaml_file import Path_, YamlFile


@dataclass(frozen=True)
class ConfigFile:
    """A checked config and where it came from.

    Attributes:
        path: the YAML file.
        overrides: the `--set` arguments applied on top.
        config: the content.
        data_root: where named datasets keep files that they have to write, a folder each.
        span: which spans of the data to read, see `spans.resolve`.
    """

    path: Path
    overrides: tuple[str, ...]
    config: Config
    data_root: Path
    span: str | None = None

    @cached_property
    def inputs(self) -> spans.Inputs:
        """The raw files, or the query."""
        return _inputs(self.config.data, self.path, self.data_root, self.span)

    @cached_property
    def schema_path(self) -> Path | None:
        """The curated schema, or None."""
        name = self.config.schema_file
        return None if name is None else (self.path.parent / name).resolve()


def read(path: Path, overrides: Iterable[str] = (), home: Path | None = None, span: str | None = None) -> ConfigFile:
    """Read and check a config: its keys and values, and the names in it against files and columns.

    Args:
        path: the YAML file.
        overrides: `a.b=value`, applied on top.
        home: the folder for everything that is written; None takes the one `home_root` finds.
        span: which spans of the data to read, see `spans.resolve`.

    Raises:
        ConfigError: one line per mistake.
    """
    overrides, data_root = tuple(overrides), (home or home_root()) / "data"
    source = yaml_file.read(path, overrides)
    sections, mistakes = _sections(source)
    mistakes += _against_data(source, sections, data_root, span)
    if mistakes:
        raise ConfigError(*mistakes)
    return ConfigFile(path, overrides, Config.model_construct(**sections), data_root, span)


def _sections(source: YamlFile) -> tuple[dict[str, Any], list[str]]:
    """Validate each section on its own, so that a mistake in one hides none in another."""
    keys = {field.alias or name: (name, field) for name, field in Config.model_fields.items()}
    mistakes = [
        f"{source.place((key,))}: unknown key, got {source.data[key]!r}; {names.suggestion(str(key), keys)}"
        for key in source.data
        if key not in keys
    ]
    sections = {}
    for key, (name, field) in keys.items():
        if key not in source.data:
            if field.is_required():
                mistakes.append(
                    f"{source.place((key,))}: is missing, got no value; add `{key}:`, see configs/taxi.yaml"
                )
            else:
                sections[name] = field.get_default()
            continue
        try:
            sections[name] = _adapter(field).validate_python(source.data[key])
        except ValidationError as error:
            mistakes += [_line(source, (key, *item["loc"]), item) for item in error.errors()]
    return sections, mistakes


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
    annotation: Any = field.annotation
    return TypeAdapter(Annotated[annotation, *field.metadata] if field.metadata else annotation)


def _line(source: YamlFile, key: Path_, item: Mapping[str, Any]) -> str:
    """Put one of pydantic's mistakes into our words."""
    place, value = source.place(key), item["input"]
    if item["type"] == "extra_forbidden":
        return f"{place}: unknown key, got {value!r}; {names.suggestion(str(key[-1]), _keys_below(Config, key[:-1]))}"
    if item["type"] == "missing":
        return f"{place}: is missing, got only {sorted(value)}; add it"
    if item["type"] == "value_error":
        return f"{place}: {item['ctx']['error']}"
    expected = item["msg"][0].lower() + item["msg"][1:]
    return f"{place}: {expected}, got {value!r}; see docs/config.md"


def _keys_below(annotation: Any, key: Path_) -> list[str]:
    """Return the keys that a section allows, found by walking the types along a key path."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        fields = {field.alias or name: field for name, field in annotation.model_fields.items()}
        return _keys_below(fields[str(key[0])].annotation, key[1:]) if key else list(fields)
    inner = get_args(annotation)
    if get_origin(annotation) in (dict, tuple, list):
        return _keys_below(inner[1] if get_origin(annotation) is dict else inner[0], key[1:])
    tagged = [member for member in inner if key and _tag(member) == key[0]]
    if tagged:
        return _keys_below(tagged[0], key[1:])
    return next(filter(None, (_keys_below(member, key) for member in inner)), [])


def _tag(member: Any) -> str | None:
    """Return the `kind` of a transform's section: pydantic puts it into the key path of a mistake."""
    kind = getattr(member, "model_fields", {}).get("kind")
    return get_args(kind.annotation)[0] if kind else None


def _against_data(source: YamlFile, sections: Mapping[str, Any], data_root: Path, span: str | None) -> list[str]:
    """Check what the valid sections say against the files and columns there are."""
    mistakes = []
    schema = sections.get("schema_file")
    if schema and not (source.path.parent / schema).is_file():
        mistakes.append(f"{source.place(('schema',))}: no such file, got {schema!r}; `slipway run` infers one without")
    if "label" in sections and "features" in sections:
        mistakes += _against_label(source, sections)
    if "label" in sections and "data" in sections:
        mistakes += _split_against_label(source, sections["data"].split, sections["label"])
    columns: list[str] = []
    wrong_options = _against_loader(source, sections["data"]) if "data" in sections else []
    mistakes += wrong_options
    try:
        known = "data" in sections and not wrong_options
        header = _header(source, sections["data"], data_root, span) if known else []
        columns, found = _renamed(source, header, sections["data"].rename) if header else ([], [])
        mistakes += found
    except OSError as error:
        mistakes.append(f"{source.place(('data',))}: {error}")
    except spans.NoSpan as error:
        mistakes.append(f"--span: {error}")
    if schema and (source.path.parent / schema).is_file():
        # The schema is the contract. A column that the files lack is no mistake of the config: the data are refused.
        columns = [feature.name for feature in curated_schema(source.path.parent / schema).feature]
    for key, name in _column_names(sections) if columns else ():
        try:
            names.require(name, columns, what="column of the data")
        except ValueError as error:
            mistakes.append(f"{source.place(key)}: {error}")
    return mistakes


def _against_loader(source: YamlFile, data: Data) -> list[str]:
    """Check the options of the loader."""
    mistakes, name = [], data_format(data)
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
    return mistakes


def _split_against_label(source: YamlFile, split: Split, label: Label) -> list[str]:
    place = source.place(("data", "split", "by"))
    if split.by == "stratified" and split.column is None and label.task == "regression":
        return [f"{place}: a regression label has no classes, got 'stratified'; name a column, or write by: random"]
    if split.by == "group" and split.column == label.name:
        return [f"{place}: no class may be in one split alone, got a group by the label; write by: stratified"]
    return []


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
    loader = names.load("data.loaders", data_format(data))
    inputs = _inputs(data, source.path, data_root, span)
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


def curated_schema(path: Path) -> schema_pb2.Schema:
    """Read a schema in text form.

    Raises:
        ConfigError: it is no schema.
    """
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema())
    except text_format.ParseError as error:
        raise ConfigError(f"{path}: no schema, got {error}; SchemaGen writes one, see docs/config.md") from error


def float_columns(schema: schema_pb2.Schema, data: Data) -> list[str]:
    """Return the columns, by their names in the files, that a schema wants as floats."""
    original = {new: name for name, new in data.rename.items()}
    floats = [feature.name for feature in schema.feature if feature.type == schema_pb2.FLOAT]
    return [original.get(name, name) for name in floats]


def data_format(data: Data) -> str:
    """Return the name of the loader for the data."""
    return data.format if data.source is None else names.load("data.sources", data.source).SOURCE.format


def _inputs(data: Data, config_path: Path, data_root: Path, span: str | None) -> spans.Inputs:
    """Return what is read: absolute paths or globs by input split; those that are to be split are `rows`."""
    if data.query is not None:
        return spans.Inputs({"rows": [data.query]})
    if data.source is not None:
        found = names.load("data.sources", data.source).SOURCE.locate(data_root / data.source)
        return spans.resolve({"rows": found}, span)
    paths = data.path if isinstance(data.path, dict) else {"rows": str(data.path)}
    return spans.resolve({name: str((config_path.parent / path).absolute()) for name, path in paths.items()}, span)
