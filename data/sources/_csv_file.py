"""A CSV file that a source writes once, whole or not at all: for datasets that ship in a package, but as no CSV."""

import csv
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

# The names of the columns, and the rows.
Table = tuple[list[str], Iterable[Sequence[Any]]]


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


def of_scikit_learn(name: str, label: str, *, whole: Sequence[str] = (), **options: Any) -> Table:
    """Return one of scikit-learn's tables, its label last: the name of the class, or the number of a regression.

    Args:
        name: of the loader, `sklearn.datasets.load_<name>`.
        label: the name that the label's column gets.
        whole: columns that are codes, written as whole numbers; all others are amounts, written as decimals.
        options: of the loader.
    """
    from sklearn import datasets  # takes a second to import; listing and checking must not

    found = getattr(datasets, f"load_{name}")(**options)
    names = [re.sub(r"[^A-Za-z0-9]+", "_", feature).strip("_") for feature in found.feature_names]
    labels = [found.target_names[number] for number in found.target] if "target_names" in found else found.target
    kinds = [int if name in whole else float for name in names]
    rows = [
        [*(kind(x) for kind, x in zip(kinds, row, strict=True)), value]
        for row, value in zip(found.data, labels, strict=True)
    ]
    return [*names, label], rows
