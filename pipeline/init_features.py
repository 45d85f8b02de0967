"""`slipway init`: transforms by what a column holds, and the columns to slice the evaluation by."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from pipeline import init_dates
from pipeline.init_label import shown
from pipeline.init_table import Column
from pipeline.schema_words import percent

# Whole numbers with at most so many values, each in so many rows, are categories.
CATEGORIES, ROWS_A_CATEGORY = 20, 20
# Up to so many they are both, a number and categories.
BOTH, ROWS_OF_BOTH = 1000, 50
# Whole numbers from here on, of few different values, are codes: their size means nothing.
CODES_FROM = 10_000_000
WORDS = 1000
SKEWED = 2.0
# Enough rows for the quantiles of a number to be told apart.
ROWS_FOR_BUCKETS = 5_000
SLICES, SLICE_VALUES, SLICE_ROWS, SLICE_SHARE = 2, 10, 100, 0.05


def transforms(column: Column) -> Any:
    """Return the transforms of a column as they stand in a config."""
    if (date := init_dates.transform(column)) is not None:
        return date
    rows, distinct = int(column.known.sum()), column.distinct
    if column.kind == "text":
        return {"vocabulary": {"top_k": WORDS}} if distinct > WORDS else "vocabulary"
    if column.kind == "whole numbers" and distinct > 2:
        if distinct <= CATEGORIES and rows >= ROWS_A_CATEGORY * distinct:
            return "vocabulary"
        if distinct <= BOTH and column.values[0] >= CODES_FROM:
            return {"vocabulary": {"min_count": 5}}
        if distinct <= BOTH and rows >= ROWS_OF_BOTH * distinct:
            return [_number(column), "vocabulary"]
    if rows >= ROWS_FOR_BUCKETS and distinct > CATEGORIES:
        return [_number(column), {"bucketize": {"buckets": 20}}]
    return _number(column)


def about(column: Column) -> str:
    """Return what a column holds, for a comment: `2.5 to 400, 4 % missing`."""
    if column.kind == "text":
        words = ", ".join(shown(word) for word in column.values[:3])
        text = f"{column.distinct:,} values: {words}" + (", …" if column.distinct > 3 else "")
    else:
        text = f"{column.values[0]:.6g} to {column.values[-1]:.6g}"
        if column.kind == "whole numbers" and column.distinct <= BOTH:
            text += f", {column.distinct} values"
    return text + (f", {percent(column.missing)} missing" if column.missing > 0 else "")


def slices(columns: Iterable[Column]) -> list[str]:
    """Return the columns to slice by: few values, each in enough rows to measure on, the fewest values first."""
    fit = [column for column in columns if _has_few_values(column)]
    return [column.name for column in sorted(fit, key=lambda column: column.distinct)[:SLICES]]


def _has_few_values(column: Column) -> bool:
    if column.kind == "numbers" or not 2 <= column.distinct <= SLICE_VALUES or column.missing > SLICE_SHARE:
        return False
    return bool(np.bincount(column.codes[column.known]).min() >= max(SLICE_ROWS, SLICE_SHARE * len(column.codes)))


def _number(column: Column) -> str:
    """Return log for a number with a long tail, else zscore."""
    numbers = column.values.astype(float)[column.codes[column.known]]
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) == 0 or (deviation := numbers.std()) == 0:
        return "zscore"
    skewness = float((((numbers - numbers.mean()) / deviation) ** 3).mean())
    return "log" if skewness > SKEWED else "zscore"
