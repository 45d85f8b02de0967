"""The file of a batch scoring: rows with their answers, in columns, there as a whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipeline.errors import SetupError

# pyarrow's write_batch for each.
ENDINGS = (".parquet", ".csv", ".jsonl")


def require_writable(path: Path) -> None:
    """Raise SetupError when a file cannot be written under this name."""
    if path.suffix not in ENDINGS:
        raise SetupError(f"-o: no format goes by this suffix, got {str(path)!r}; there are {', '.join(ENDINGS)}")
    if path.is_dir():
        raise SetupError(f"-o: is a folder, got {str(path)!r}; name a file")


class Output:
    """Takes batches of one schema; the first one opens the file."""

    def __init__(self, path: Path, kind: str) -> None:
        self._path, self._kind = path, kind
        self._writer: Any = None

    def write(self, batch: Any) -> None:
        """Write a pyarrow RecordBatch."""
        if self._writer is None:
            self._writer = _WRITERS[self._kind](self._path, batch.schema)
        self._writer.write_batch(batch)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


@contextmanager
def replacing(path: Path) -> Iterator[Output]:
    """Yield what writes a file; it takes the place of one that is there when all is written, and not before.

    Raises:
        SetupError: it cannot be written.
    """
    # Readers of folders leave out names that begin with a dot.
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
    output = Output(unfinished, path.suffix)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield output
        finally:
            output.close()
        os.replace(unfinished, path)
    except OSError as error:
        raise SetupError(f"-o: cannot be written, got {error}; check the path and the free space") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


def _parquet(path: Path, schema: Any) -> Any:
    from pyarrow import parquet

    return parquet.ParquetWriter(path, schema)


def _csv(path: Path, schema: Any) -> Any:
    from pyarrow import csv

    return csv.CSVWriter(path, schema)


class _JsonLines:
    """One object a line; a value that is missing is null."""

    def __init__(self, path: Path, schema: Any) -> None:
        self._file = path.open("wb")

    def write_batch(self, batch: Any) -> None:
        import orjson

        self._file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in batch.to_pylist())

    def close(self) -> None:
        self._file.close()


_WRITERS = {".parquet": _parquet, ".csv": _csv, ".jsonl": _JsonLines}
