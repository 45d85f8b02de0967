"""`slipway init`: columns that should not be learned from, each with its reason in words."""

from collections.abc import Iterable, Mapping

import numpy as np

from pipeline import init_dates, init_measure
from pipeline.init_label import Label, shown
from pipeline.init_measure import Score
from pipeline.init_table import Column
from pipeline.schema_words import percent

MAX_MISSING = 0.5
# Text with more different values than this share of its rows is an id or a sentence, and no vocabulary.
MOSTLY_NEW = 0.5
# A column whose predictions have at most this error gives the label away, whatever the others can do.
PERFECT = 0.005
# So does one at most this far from perfect that makes less than half the error of all others together.
NEAR, OTHERS = 0.05, 2.0


def at_sight(column: Column, label: Label) -> str | None:
    """Return why a column should be left out, or None: what its values alone, and beside the label, tell."""
    rows = int(column.known.sum())
    if column.kind == "lists":
        return "lists of values; a table's model takes one value a row"
    if rows == 0:
        return "empty in every row"
    if column.missing > MAX_MISSING:
        return f"{percent(column.missing)} missing"
    if column.distinct == 1 and column.missing == 0:
        return f"constant: {shown(column.values[0])} in every row"
    if column.kind == "numbers" and not np.isfinite(column.values).all():
        return "infinite values, which make every mean infinite"
    if (copy := _copy(column, label)) is not None:
        return copy
    if init_dates.transform(column) is not None:
        return None
    if column.distinct == rows and column.kind != "numbers":
        return "unique in every row: an id says nothing about new rows"
    if column.kind == "text" and column.distinct > MOSTLY_NEW * rows:
        return f"{column.distinct:,} different texts in {rows:,} rows: an id or sentences, and no categories"
    return None


def leaks(columns: Iterable[Column], label: Label) -> tuple[dict[str, str], dict[str, Score]]:
    """Return the columns that alone predict the label better than anything honest does, and the scores of all.

    Args:
        columns: those with nothing suspicious at sight.
        label: to predict.

    Returns:
        reasons by column, and the score of each column alone, measured on rows that were not learned from.
    """
    known = {column.name: column for column in columns}
    scores = {name: init_measure.alone(column, label) for name, column in known.items()}
    reasons = {
        name: f"gives the label away: alone it reaches {score}"
        for name, score in scores.items()
        if score.error <= PERFECT
    }
    for name, score in scores.items():
        others = [column for other, column in known.items() if other != name and other not in reasons]
        if name in reasons or score.error > NEAR or not others:
            continue
        rest = init_measure.together(others, label)
        if rest.error > OTHERS * score.error:
            reasons[name] = f"gives the label away: alone it reaches {score}, all others together {rest}"
    return reasons, scores


def _copy(column: Column, label: Label) -> str | None:
    """Return the reason when a column is the label again, as it is or under other names."""
    known = column.known
    if label.task == "regression":
        different, ids = np.unique(label.target, return_inverse=True)
        if known.all() and any(np.array_equal(column.codes, order) for order in (ids, len(different) - 1 - ids)):
            same = column.kind != "text" and np.array_equal(column.values, different)
            return "a copy of the label" if same else "a copy of the label in another unit: the rows in the same order"
        return None
    pairs = set(zip(column.codes[known].tolist(), label.target[known].tolist(), strict=True))
    classes = len(np.unique(label.target))
    if not (len(pairs) == column.distinct == len({target for _, target in pairs}) == classes):
        return None
    names = dict(enumerate(label.classes or range(classes)))
    other = {shown(column.values[code]): shown(names[target]) for code, target in sorted(pairs)}
    if all(code == target for code, target in other.items()):
        return "a copy of the label"
    return f"a copy of the label under other names: {_mapping(other)}"


def _mapping(other: Mapping[str, str]) -> str:
    pairs = [f"{code} is {target}" for code, target in other.items()]
    return ", ".join(pairs[:3]) + (", …" if len(pairs) > 3 else "")
