"""The tables that ship in scikit-learn, as CSV files."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from data.sources import _csv_file


def table(name: str, label: str, *, whole: Sequence[str] = (), **options: Any) -> Callable[[Path], str]:
    """Return the `locate` of a table, its label last: the name of the class, or the number of a regression.

    Args:
        name: of the loader, `sklearn.datasets.load_<name>`, and of the CSV file.
        label: the name that the label's column gets.
        whole: columns that are codes, written as whole numbers; all others are amounts, written as decimals.
        options: of the loader.
    """

    def read() -> _csv_file.Table:
        from sklearn import datasets  # takes a second to import; listing and checking must not

        found = getattr(datasets, f"load_{name}")(**options)
        names = [re.sub(r"[^A-Za-z0-9]+", "_", feature).strip("_") for feature in found.feature_names]
        labels = [found.target_names[number] for number in found.target] if "target_names" in found else found.target
        kinds = [int if feature in whole else float for feature in names]
        rows = [
            [*(kind(x) for kind, x in zip(kinds, row, strict=True)), value]
            for row, value in zip(found.data, labels, strict=True)
        ]
        return [*names, label], rows

    return lambda folder: _csv_file.written_once(folder / f"{name}.csv", read)
