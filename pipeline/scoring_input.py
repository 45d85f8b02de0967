"""The rows of a batch scoring: a file of any format, in the types that a model takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data.loaders import _files, _kinds
from pipeline import names, raw_rows
from pipeline.errors import DataError, SetupError
from pipeline.raw_rows import RawRows
from serving.rows import MISSING, kind
from serving.signature import TensorInfo

# A file without types of its own: what the model does not take stays text, so that an id keeps its leading zeros.
UNTYPED = ("csv",)


@dataclass(frozen=True)
class Wish:
    """What the command line says of the rows.

    Attributes:
        path: of the file, or a glob.
        kind: format; None goes by the suffix.
        options: of the format, `key=value`.
        rename: `old=new`, as `data.rename` of the config.
        keep: columns to write beside the answers, by their new names; none keeps all.
    """

    path: Path
    kind: str | None = None
    options: Sequence[str] = ()
    rename: Sequence[str] = ()
    keep: Sequence[str] = ()


@dataclass(frozen=True)
class Rows:
    """The rows of some files.

    Attributes:
        raw: the rows, as a loader reads them.
        inputs: of the model, by name.
        kept: columns to write beside the answers.
    """

    raw: RawRows
    inputs: Mapping[str, TensorInfo]
    kept: Sequence[str]

    def batches(self) -> Iterator[tuple[dict[str, Any], dict[str, pa.Array]]]:
        """Yield, batch by batch, the arrays [n] for the model and the columns to keep.

        Raises:
            DataError: a row is broken, or a value does not fit the model.
        """
        rows = 0
        for batch in self.raw.batches():
            found = dict(zip(batch.schema.names, batch.columns, strict=True))
            place = f"{self.raw.paths[0]}: rows {rows + 1:,} to {rows + batch.num_rows:,}"
            yield (
                {name: _array(found[name], info, place) for name, info in self.inputs.items()},
                {name: found[name] for name in self.kept},
            )
            rows += batch.num_rows


def opened(wish: Wish, inputs: Mapping[str, TensorInfo]) -> Rows:
    """Look at the columns of the files, before any row is read.

    Raises:
        SetupError: no such file, format or option; a model or a column that cannot be asked for so.
        DataError: the files cannot be read, or lack a column that the model takes.
    """
    several = [name for name, info in inputs.items() if info.shape is None or len(info.shape) != 1]
    if several:
        text = f"the model takes other than one value a row, got {', '.join(several)}"
        raise SetupError(f"slipway predict: {text}; ask it without -o, in JSON lines")
    format_name = raw_rows.format_of(str(wish.path), wish.kind)
    options = raw_rows.options_of(wish.options, format_name)
    loader = names.load("data.loaders", format_name)
    try:
        paths = loader.matching_files(str(wish.path.absolute()))
        header = loader.column_names(paths[0], options)
        for path in paths[1:]:
            _files.require_same_names(path, loader.column_names(path, options), paths[0], header)
        rename = _renaming(wish.rename, header)
        given = {rename.get(name, name): name for name in header}
        _require_columns(paths[0], given, inputs, wish.keep)
        kept = list(wish.keep or given)
        types = _types(loader, format_name, paths, options, [given[name] for name in kept])
    except OSError as error:
        raise SetupError(f"slipway predict: {error}") from error
    except ValueError as error:
        raise DataError(f"the rows are refused: {error}") from error
    types |= {given[name]: _arrow(info) for name, info in inputs.items()}
    return Rows(RawRows(loader, paths, types, rename, options), inputs, kept)


def _renaming(pairs: Sequence[str], header: Sequence[str]) -> dict[str, str]:
    rename = {}
    for pair in pairs:
        # The new name has no =, since TensorFlow serves none with one; the old one may.
        old, _, new = pair.rpartition("=")
        if not old or not new:
            raise SetupError(f"--rename: no OLD=NEW, got {pair!r}; write both names")
        if old in header:
            rename[old] = new
    return rename


def _require_columns(
    path: str, given: Mapping[str, str], inputs: Mapping[str, TensorInfo], keep: Sequence[str]
) -> None:
    lacking = [name for name in inputs if name not in given]
    if lacking:
        hint = names.suggestion(lacking[0], given)
        raise DataError(f"{path}: lacks columns that the model takes, got no {', '.join(lacking)}; {hint}")
    for name in keep:
        try:
            names.require(name, given, what=f"column of {path}")
        except ValueError as error:
            raise SetupError(f"--keep: {error}") from error


def _types(
    loader: Any, format_name: str, paths: list[str], options: Mapping[str, Any], wanted: Sequence[str]
) -> dict[str, pa.DataType]:
    """Return the types of columns by what the files say."""
    if format_name in UNTYPED:
        return dict.fromkeys(wanted, pa.binary())
    found = loader.column_types(paths, options)
    return {name: found[name] for name in wanted}


def _arrow(info: TensorInfo) -> pa.DataType:
    """Return the type in which a loader reads a column for a tensor."""
    return {"string": pa.binary(), "float": pa.float64()}.get(kind(info.dtype_name), pa.int64())


def _array(column: pa.Array, info: TensorInfo, place: str) -> Any:
    """Return a column as numpy's array [n] for a tensor, with the model's signs for missing values."""
    what = kind(info.dtype_name)
    try:
        if column.null_count:
            if what not in MISSING:
                raise ValueError(f"no value in {column.null_count} of them, and {what} has none for missing")
            column = column.fill_null(MISSING[what].encode() if what == "string" else MISSING[what])
        if what not in ("string", "float"):
            column = column.cast(pa.from_numpy_dtype(info.numpy_dtype))
        array = column.to_numpy(zero_copy_only=False)
        return array if what == "string" else array.astype(info.numpy_dtype, copy=False)
    except ValueError as error:
        text = f"{place}: {info.alias} does not fit the model, got {error}; it takes {info.dtype_name}"
        raise DataError(text) from error


def texts(column: pa.Array) -> pa.Array:
    """Return bytes as text where they are, in lists too, and any other column as it is."""
    if not pa.types.is_binary(item_type(column.type)):
        return column
    try:
        return column.cast(pa.list_(pa.string()) if _kinds.is_list(column.type) else pa.string())
    except pa.ArrowInvalid:
        return column


def item_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of the values, be they in lists or not."""
    return kind.value_type if _kinds.is_list(kind) else kind


def shortest(column: pa.Array) -> pa.Array:
    """Return float32 as the float64 with the same digits: 0.1 and not 0.10000000149011612."""
    return pc.cast(pc.cast(column, pa.string()), pa.float64())
