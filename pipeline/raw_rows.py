"""The rows of a table before any pipeline, as its loader gives them and under the names of the config."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

import yaml

from pipeline import data_config, names
from pipeline.config_file import ConfigFile
from pipeline.data_files import curated_schema, data_format, float_columns
from pipeline.errors import DataError, SetupError

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class RawRows:
    """A table on disk; its rows are read again at every pass, in batches, so that memory stays flat.

    Attributes:
        loader: the module that reads it.
        paths: of its files.
        types: pyarrow types by column of the files.
        rename: names in the config by column of the files.
        options: of the loader.
    """

    loader: ModuleType
    paths: Sequence[str]
    types: Mapping[str, Any]
    rename: Mapping[str, str]
    options: Mapping[str, Any]

    def batches(self) -> Iterator[Any]:
        """Yield pyarrow RecordBatches of columns.

        Raises:
            DataError: a row is broken.
        """
        from data.loaders import _rename

        try:
            for path in self.paths:
                for batch in self.loader.record_batches(path, self.types, self.options):
                    yield _rename.renamed(batch, self.rename)
        except (OSError, ValueError) as error:
            raise DataError(f"the data are refused: {error}") from error


def of_config(file: ConfigFile) -> RawRows:
    """Return the rows of a config, with the types that its run would give them.

    Raises:
        SetupError: they are asked for by a query.
        DataError: they cannot be read.
    """
    section, options = file.config.data, dict(file.config.data.options)
    if section.query is not None:
        raise SetupError(f"{file.path}: data.query: is answered in a run only, got {section.query!r}; give files here")
    if file.schema_path:
        options["float_columns"] = float_columns(curated_schema(file.schema_path), section)
    patterns = [pattern for patterns in file.inputs.patterns.values() for pattern in patterns]
    return of_files(data_format(section), patterns, section.rename, options)


def of_files(
    kind: str, patterns: Sequence[str], rename: Mapping[str, str], options: Mapping[str, Any] = NO_OPTIONS
) -> RawRows:
    """Return the rows of some files.

    Args:
        kind: name of the loader.
        patterns: absolute paths or globs.
        rename: names in the config by column of the files.
        options: of the loader; `float_columns` are numbers with a fraction, even if their values happen to be whole.

    Raises:
        DataError: they cannot be read.
    """
    loader = names.load("data.loaders", kind)
    try:
        paths = [path for pattern in patterns for path in loader.matching_files(pattern)]
        return RawRows(loader, paths, loader.column_types(paths, options), rename, options)
    except (OSError, ValueError) as error:
        raise DataError(f"the data are refused: {error}") from error


def format_of(path: str, wanted: str | None = None) -> str:
    """Return the name of the loader for a file: the wanted one, else the one that its suffix says.

    Raises:
        SetupError: there is none.
    """
    known = data_config.file_formats()
    if wanted is None:
        try:
            return data_config.format_by_suffix(path)
        except ValueError as error:
            raise SetupError(f"{path}: {error}; say which with --format: {', '.join(known)}") from error
    try:
        names.require(wanted, known, what="format")
    except ValueError as error:
        raise SetupError(f"--format: {error}") from error
    return wanted


def options_of(pairs: Sequence[str], kind: str) -> dict[str, Any]:
    """Return the options of a loader, checked by it.

    Args:
        pairs: `key=value`; the value is YAML.
        kind: name of the loader.

    Raises:
        SetupError: it has no such option, or none of such a value.
    """
    known, found = names.load("data.loaders", kind).OPTIONS, {}
    for pair in pairs:
        key, _, text = pair.partition("=")
        try:
            names.require(key, known, what=f"option of the format {kind}")
            # A single sign, such as a tab or `|`, is not YAML but is meant as it is.
            found[key] = text if re.fullmatch(r"\W", text) else yaml.safe_load(text)
            known[key](found[key])
        except yaml.YAMLError as error:
            raise SetupError(f"--option {key}: not a YAML value, got {text!r}; quote it") from error
        except ValueError as error:
            raise SetupError(f"--option {key}: {error}") from error
    return found
