"""A CSV file that a source writes once, whole or not at all: for datasets that ship in a package, but as no CSV."""

import csv
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

# The names of the columns, and the rows.
Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


def written_once(path: Path, read: Callable[[], Table]) -> str:
    """Return the path of a CSV file, and write it first if it is not there.

    Args:
        path: of the file; its folder need not exist.
        read: returns the table; asked only when the file has to be written.

    Raises:
        OSError: the file cannot be written, or the package that the data come with cannot be imported.
    """
    if not path.exists():
        try:
            names, rows = read()
        except ImportError as error:
            raise OSError(f"{path.stem}: the data come with a package, got {error}; run `make setup`") from error
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows(rows)
        part.replace(path)
    return str(path)
