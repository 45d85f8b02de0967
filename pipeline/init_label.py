"""`slipway init`: which task a label is, and why."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.errors import DataError
from pipeline.init_table import COUNTED_VALUES, Table
from pipeline.metrics import Task
from pipeline.schema_words import percent

MAX_CLASSES = 100
# Whole numbers are classes when there are few of them, each in so many rows on average.
FEW_NUMBERS, ROWS_A_NUMBER = 20, 10
# A text is a class if it comes again: a name or an id does not.
ROWS_A_TEXT = 3
# Fewer leave nothing to measure on.
MIN_ROWS = 20
NEGATIVE = {"no", "n", "false", "f", "0", "negative", "neg", "absent", "benign", "normal", "healthy", "none", "off"}


@dataclass(frozen=True)
class Label:
    """The column to predict.

    Attributes:
        name: in the config.
        task: of the config.
        classes: their names in the order of their ids; none where the data have the ids, or for a regression.
        reason: why this task, in words.
        target: of the sample, [n]: the ids of the classes, or for a regression numbers.
        majority: share of the most frequent class; 0 for a regression.
    """

    name: str
    task: Task
    classes: tuple[Any, ...]
    reason: str
    target: np.ndarray
    majority: float


def decide(table: Table, name: str) -> Label:
    """Return what the values of a label say about its task.

    Raises:
        DataError: rows have no label, are too few or of one class, or the label is text of too many.
    """
    column, counts = table.columns[name], table.label_counts
    if table.unlabelled:
        raise DataError(
            f"--label {name}: {table.unlabelled:,} of {table.rows:,} rows have none, got empty cells or no numbers; "
            "fill or drop these rows"
        )
    if column.kind == "lists":
        raise DataError(f"--label {name}: several values in a row, got lists; a label is one value")
    if table.rows < MIN_ROWS:
        raise DataError(f"--label {name}: too few rows to learn from, got {table.rows}; give {MIN_ROWS} or more")
    if len(counts) == 1:
        raise DataError(f"--label {name}: one class only, got {next(iter(counts))!r} in every row; give rows of others")
    values = sorted(counts)
    if len(values) == 2:
        return _of_classes(table, name, "binary", _negative_first(counts), f"two values: {_counted(counts)}")
    if column.kind == "text":
        if len(values) > MAX_CLASSES or ROWS_A_TEXT * len(values) > table.rows:
            text = f"text with {_at_least(values)} different values in {table.rows:,} rows, got {_examples(values)}"
            limit = f"at most {MAX_CLASSES} classes, of {ROWS_A_TEXT} rows each on average"
            raise DataError(f"--label {name}: {text}; {limit}, is it the right column?")
        reason = f"text with {len(values)} different values: {_counted(counts)}"
        return _of_classes(table, name, "multiclass", values, reason)
    whole = all(float(value).is_integer() for value in values)
    if whole and len(values) <= FEW_NUMBERS and table.rows >= ROWS_A_NUMBER * len(values):
        return _of_classes(table, name, "multiclass", values, f"{len(values)} whole numbers: {_counted(counts)}")
    reason = f"{column.kind}, {_at_least(values)} different ones from {values[0]:g} to {values[-1]:g}"
    numbers = column.values[column.codes].astype(float)
    return Label(name, "regression", (), reason, numbers, 0.0)


def _of_classes(table: Table, name: str, task: Task, values: list[Any], reason: str) -> Label:
    column = table.columns[name]
    ids = {value: number for number, value in enumerate(values)}
    target = np.array([ids.get(value, 0) for value in column.values.tolist()])[column.codes]
    plain = task == "binary" and values == [0, 1]
    classes = () if plain else tuple(map(_class_name, values))
    return Label(name, task, classes, reason, target, max(table.label_counts.values()) / table.rows)


def _class_name(value: Any) -> str | int:
    """Return a value as the transform graph writes it: 1.0 is 1, and a float32 has no more digits than it needs."""
    if isinstance(value, str):
        return value
    return int(value) if float(value).is_integer() else str(np.float32(value))


def _negative_first(counts: Counter[Any]) -> list[Any]:
    """Return the two values of a binary label, the positive one last: the rarer, unless one is a word for no."""
    low, high = sorted(counts)
    if not isinstance(low, str):
        return [low, high]
    negative = [value for value in (low, high) if value.strip().lower() in NEGATIVE]
    if len(negative) == 1:
        return sorted((low, high), key=lambda value: value not in negative)
    return sorted((low, high), key=lambda value: -counts[value])


def _counted(counts: Counter[Any]) -> str:
    """Return `benign (62.7 %), malignant (37.3 %)`, the most frequent first, at most five."""
    rows, pairs = sum(counts.values()), counts.most_common(5)
    more = f" and {len(counts) - 5} more" if len(counts) > 5 else ""
    return ", ".join(f"{shown(value)} ({percent(count / rows)})" for value, count in pairs) + more


def _examples(values: list[Any]) -> str:
    return ", ".join(shown(value) for value in values[:3]) + ", …"


def _at_least(values: list[Any]) -> str:
    return f"{len(values):,}" + (" or more" if len(values) >= COUNTED_VALUES else "")


def shown(value: Any) -> str:
    """Return a value as it may stand in a comment: on one line, and short."""
    if not isinstance(value, str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    text = " ".join(value.split())
    text = "".join(sign if sign.isprintable() else "?" for sign in text)
    return text if len(text) <= 30 else f"{text[:29]}…"
