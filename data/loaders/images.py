"""Pictures as columns: a folder with one folder per class, or tables in CSV with a column of paths.

The first gives the columns `image` (the file's bytes, PNG or JPEG), `label` (the name of the folder) and `path`
(`label/name`); the second, `image_column: NAME`, the columns of the table with the bytes in place of the paths.
TensorFlow itself says which file is a picture, so that none fails later, in the transform or in the served model.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pyarrow as pa

from data.loaders import _files, csv

# What TFX's cache must know the code of.
MODULES = (__name__, "data.loaders._example_gen")
INSIDE = "*/*"
STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")

matching_files = partial(_files.matching_files, inside=INSIDE)


def _yes_or_no(value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, got {value!r}; false names the files, true leaves them out")


def _name(value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be the name of a column, got {value!r}; the one with the paths")


OPTIONS = {"skip_bad": _yes_or_no, "image_column": _name}


def load(inputs: Mapping[str, Sequence[str]], output_config: Any, options: Mapping[str, Any]) -> Any:
    """Return the ExampleGen node that reads the pictures; see `_files.load_with`."""
    if "image_column" in options:
        # TFX's cache sees the tables alone.
        tables = [table for patterns in inputs.values() for one in patterns for table in matching_files(one)]
        # A table that cannot be read is refused by the node: making it raises nothing.
        with suppress(ValueError):
            options = {**options, "pictures": _digest(sorted(_pictures(tables, options)))}
    return _files.load_with(__name__, INSIDE)(inputs, output_config, options)


def column_names(path: str, options: Mapping[str, Any] = _files.NO_OPTIONS) -> list[str]:
    """Return the columns of a folder of classes, or of one table.

    Raises:
        ValueError: the table has no readable header, or lacks the column of paths.
    """
    if "image_column" not in options:
        return ["image", "label", "path"]
    names = csv.column_names(path)
    if options["image_column"] not in names:
        text = f"no column of paths, got {options['image_column']!r}; there are {', '.join(names)}"
        raise ValueError(f"{path}: {text}")
    return names


def column_types(paths: list[str], options: Mapping[str, Any] = _files.NO_OPTIONS) -> dict[str, pa.DataType]:
    """Return the type of each column; what is in the pictures, `unusable` looks at.

    Raises:
        ValueError: as `csv.column_types`, or no picture is left.
    """
    if "image_column" not in options:
        if not set(paths) - set(options.get("skipped", ())):
            raise ValueError(f"{paths[0]}: no usable picture, got {len(paths)} other files; PNG and JPEG can be read")
        return dict.fromkeys(column_names(paths[0]), pa.binary())
    column_names(paths[0], options)
    return {**csv.column_types(paths, options), options["image_column"]: pa.binary()}


def unusable(paths: list[str], options: Mapping[str, Any]) -> dict[str, str]:
    """Return the files that are no pictures, each with the reason. Decodes every one.

    Raises:
        ValueError: a table is unreadable, or lacks the column of paths.
    """
    pictures = paths if "image_column" not in options else sorted(_pictures(paths, options))
    return {path: reason for path in pictures if (reason := _reason(path))}


def record_batches(
    path: str, types: Mapping[str, pa.DataType], options: Mapping[str, Any] = _files.NO_OPTIONS
) -> Iterator[pa.RecordBatch]:
    """Yield one picture, or the rows of one table, without those that `options["skipped"]` names."""
    skipped = frozenset(options.get("skipped", ()))
    if "image_column" in options:
        yield from _table(path, types, options["image_column"], skipped)
    elif path not in skipped:
        label = os.path.basename(os.path.dirname(path))
        cells = {"image": _bytes(path), "label": label, "path": f"{label}/{os.path.basename(path)}"}
        yield pa.RecordBatch.from_pydict({name: pa.array([cell], pa.binary()) for name, cell in cells.items()})


def _table(
    path: str, types: Mapping[str, pa.DataType], column: str, skipped: frozenset[str]
) -> Iterator[pa.RecordBatch]:
    for batch in csv.record_batches(path, types):
        place = batch.schema.get_field_index(column)
        # One row at a time: a batch of pictures is as large as they are.
        for number, picture in enumerate(_beside(path, batch.column(place))):
            if picture not in skipped:
                cells = list(batch.slice(number, 1).columns)
                cells[place] = pa.array([None if picture is None else _bytes(picture)], pa.binary())
                yield pa.RecordBatch.from_arrays(cells, batch.schema.names)


def _pictures(tables: list[str], options: Mapping[str, Any]) -> set[str]:
    """Return the paths that tables name; of the tables, no other column is read.

    Raises:
        ValueError: a table is unreadable, or lacks the column of paths.
    """
    found: set[str] = set()
    for table in tables:
        column_names(table, options)
        for batch in csv.record_batches(table, {options["image_column"]: pa.binary()}):
            found.update(picture for picture in _beside(table, batch.column(0)) if picture)
    return found


def _beside(table: str, cells: pa.Array) -> list[str | None]:
    """Return the paths in cells, which are relative to the folder of their table; None for an empty cell."""
    folder = os.path.dirname(table)
    return [None if cell is None else os.path.join(folder, os.fsdecode(cell)) for cell in cells.to_pylist()]


def _digest(pictures: list[str]) -> str:
    """Return a fingerprint of files: their names, sizes and times."""
    stats = [(path, os.stat(path)) for path in pictures if os.path.isfile(path)]
    text = "\n".join(f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _reason(path: str) -> str:
    """Return why a file is no picture, or ""."""
    import tensorflow as tf

    try:
        content = _bytes(path)
    except OSError as error:
        return f"cannot be read, got {error.strerror}; check the path"
    if not content.startswith(STARTS):
        return f"no PNG or JPEG picture, got {content[:8]!r}; convert it, or set data.options.skip_bad: true"
    try:
        tf.io.decode_image(content, expand_animations=False)
    except tf.errors.InvalidArgumentError:
        return f"a corrupt picture, got {len(content):,} bytes; repair it, or set data.options.skip_bad: true"
    return ""
