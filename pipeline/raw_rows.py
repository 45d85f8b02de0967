"""The rows of a table before any pipeline, as its loader gives them and under the names of the config."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

from pipeline import names
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
