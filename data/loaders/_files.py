"""What all formats of files share: the files a path names, their bytes or text, and the node that reads them."""

import codecs
import glob
import gzip
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

# Files are read in blocks of so many bytes, and no line may be longer: memory does not grow with the file.
BLOCK_BYTES = 8 << 20
# With or without a byte order mark.
UTF_8 = "utf-8-sig"
GZIP_START = b"\x1f\x8b"
NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
Load = Callable[[Mapping[str, Sequence[str]], Any, Mapping[str, Any]], Any]


def pattern_of(path: str, inside: str = "*") -> str:
    """Return a path or glob as it is, and for a folder the glob of what is inside."""
    return os.path.join(path, inside) if os.path.isdir(path) else path


def matching_files(path: str, inside: str = "*") -> list[str]:
    """Return the files that a path, a glob or a folder names, sorted.

    A glob leaves out names that begin with `.` or `_`, as Spark's `_SUCCESS`, unless it begins so itself.

    Args:
        path: absolute.
        inside: the glob of the files inside a folder.

    Raises:
        FileNotFoundError: nothing matches.
        PermissionError: a file, or the folder, may not be read.
    """
    pattern = pattern_of(path, inside)
    folder, name = os.path.split(pattern)
    if os.path.isdir(folder) and not _may(folder, os.R_OK | os.X_OK):
        raise PermissionError(f"no permission to read the folder, got {folder!r}; change its mode or its owner")
    files = sorted(file for file in glob.glob(pattern) if os.path.isfile(file))
    if not name.startswith("_"):
        files = [file for file in files if not os.path.basename(file).startswith("_")]
    if not files:
        raise FileNotFoundError(f"no file matches, got {pattern!r}; check the path")
    for file in files:
        if not _may(file, os.R_OK):
            raise PermissionError(f"no permission to read, got {file!r}; change its mode or its owner")
    return files


def _may(path: str, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def load_with(loader: str, inside: str = "*") -> Load:
    """Return the `load` of a loader of files.

    Args:
        loader: its dotted name.
        inside: the glob of the files inside a folder.
    """

    def load(inputs: Mapping[str, Sequence[str]], output_config: Any, options: Mapping[str, Any]) -> Any:
        """Return the ExampleGen node that reads the files.

        Args:
            inputs: absolute paths, globs or folders by input split; several are the splits themselves.
            output_config: example_gen_pb2.Output with the splits to make of a single input split.
            options: JSON, those of the loader; `float_columns` become float32 even where all values are whole numbers,
                `split` has the arguments of `_splits.make`, `spans` and `version` are those of the files.
        """
        from data.loaders import _example_gen, _inputs  # TFX takes seconds to import; listing and checking must not

        globs = {name: [pattern_of(one, inside) for one in patterns] for name, patterns in inputs.items()}
        return _inputs.node(globs, output_config, {**options, "loader": loader}, _example_gen.Executor)

    return load


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open a file, unpacked when it is gzipped, whatever its name.

    Raises:
        ValueError: the gzipped file is broken.
    """
    with open(path, "rb") as file:
        packed = file.read(len(GZIP_START)) == GZIP_START
        file.seek(0)
        if not packed:
            yield file
            return
        try:
            with gzip.open(file) as unpacked:
                yield unpacked
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path}: a broken gzip file, got {error}; it may be cut off") from error


def text_blocks(path: str, encoding: str = UTF_8, way_out: str = "") -> Iterator[str]:
    """Yield the text of a file in blocks of about `BLOCK_BYTES`.

    Args:
        path: the file.
        encoding: of it, as Python names it.
        way_out: what else to do with a file of another encoding than to save it anew.

    Raises:
        ValueError: the file has bytes of another encoding, or NUL bytes.
    """
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    with opened(path) as file:
        while True:
            block = file.read(BLOCK_BYTES)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                wrong = error.object[error.start : error.start + 10]
                raise ValueError(
                    f"{path}: line {line}: not {error.encoding}, got {wrong!r}; save it as UTF-8{way_out}"
                ) from error
            if (nul := text.find("\0")) >= 0:
                line += text.count("\n", 0, nul)
                raise ValueError(
                    f"{path}: line {line}: a NUL byte, got {text[nul : nul + 10]!r}; is the file UTF-8 text?"
                )
            line += text.count("\n")
            if not block:
                return
            yield text


def line_blocks(path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of a file of text, a block at a time, each with the number of its first line.

    Raises:
        ValueError: the file is no UTF-8 text, or a line is longer than `BLOCK_BYTES`.
    """
    number, rest = 1, ""
    for block in text_blocks(path):
        *lines, rest = (rest + block).split("\n")
        if len(rest) > BLOCK_BYTES:
            raise ValueError(f"{path}: line {number + len(lines)}: {too_long()}")
        yield number, lines
        number += len(lines)
    if rest:
        yield number, [rest]


def too_long() -> str:
    """Return what to say of a line that does not fit into a block."""
    return f"more than {BLOCK_BYTES:,} bytes in one line, got no end of it; is this the right format?"


def require_names(path: str, names: list[str]) -> None:
    """Raise ValueError when a name is empty or stands twice."""
    for name in names:
        if not name:
            raise ValueError(f"{path}: a column without a name, got {names}; name every column")
        if names.count(name) > 1:
            raise ValueError(f"{path}: two columns have one name, got {name!r}; rename one of them")


def no_rows(paths: Sequence[str]) -> ValueError:
    """Return what to raise for files without rows."""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return ValueError(f"{paths[0]}{more}: no rows, got empty files; give at least one row of data")


def require_same_names(path: str, names: list[str], first: str, expected: list[str]) -> None:
    """Raise ValueError when a file has other columns than the first; their order is free."""
    if set(names) != set(expected):
        raise ValueError(f"{path}: other columns than {first}, got {names}; give every file the columns {expected}")
