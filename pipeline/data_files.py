"""The files that the section `data` of a config names: their format, where they are, and the schema they must fit."""

from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline import names, spans
from pipeline.data_config import Data
from pipeline.errors import ConfigError


def curated_schema(path: Path) -> schema_pb2.Schema:
    """Read a schema in text form.

    Raises:
        ConfigError: it is no schema.
    """
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema())
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: no schema, got {error}; SchemaGen writes one, see docs/config.md") from error


def float_columns(schema: schema_pb2.Schema, data: Data) -> list[str]:
    """Return the columns, by their names in the files, that a schema wants as floats."""
    original = {new: name for name, new in data.rename.items()}
    floats = [feature.name for feature in schema.feature if feature.type == schema_pb2.FLOAT]
    return [original.get(name, name) for name in floats]


def data_format(data: Data) -> str:
    """Return the name of the loader for the data."""
    return data.format if data.source is None else names.load("data.sources", data.source).SOURCE.format


def inputs(data: Data, config_path: Path, data_root: Path, span: str | None) -> spans.Inputs:
    """Return what is read: absolute paths or globs by input split; those that are to be split are `rows`."""
    if data.query is not None:
        return spans.Inputs({"rows": [data.query]})
    if data.source is not None:
        found = names.load("data.sources", data.source).SOURCE.locate(data_root / data.source)
        return spans.resolve({"rows": found}, span)
    paths = data.path if isinstance(data.path, dict) else {"rows": str(data.path)}
    return spans.resolve({name: str((config_path.parent / path).absolute()) for name, path in paths.items()}, span)
