"""`slipway init`: columns that hold dates or points in time, and in which format."""

import re
from typing import Any

import numpy as np

from pipeline import date_format
from pipeline.init_table import Column

# Texts of these formats; where day and month cannot be told apart, the first one that fits all.
FORMATS = ("iso", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%m/%d/%Y", "%m/%d/%Y %H:%M", "%d/%m/%Y", "%d/%m/%Y %H:%M", "%Y/%m/%d")
# A text that is no date is missing to the model; more than this share of them, and the column holds something else.
MAX_UNREADABLE = 0.01
# Whole numbers with such a name, in the years 1990 to 2100, are seconds or milliseconds since 1970.
NAMED_A_TIME = re.compile(r"(^|_)(time|date|datetime|timestamp|ts|at|on|created|updated|when)($|_)", re.IGNORECASE)
YEARS_IN_SECONDS = (631_152_000, 4_102_444_800)


def transform(column: Column) -> dict[str, Any] | None:
    """Return the transform of a column of dates, as it stands in a config, or None where it holds no dates."""
    wanted = _format(column)
    if wanted is None:
        return None
    parts = ["weekday", "month"]
    if wanted.startswith("unix") or "%H" in wanted or any(":" in text for text in column.values[:100]):
        parts.insert(0, "hour")
    return {"date": {"format": wanted, "parts": parts, "cyclic": True}}


def _format(column: Column) -> str | None:
    if column.distinct == 0:
        return None
    if column.kind == "text":
        return next((name for name in FORMATS if _fits(column.values, name)), None)
    if column.kind == "whole numbers" and NAMED_A_TIME.search(column.name):
        low, high = YEARS_IN_SECONDS
        for name, unit in (("unix", 1), ("unix_ms", 1000)):
            if low * unit <= column.values[0] and column.values[-1] <= high * unit:
                return name
    return None


def _fits(texts: np.ndarray, name: str) -> bool:
    pattern, _ = date_format.compiled(name)
    found = re.compile(str(pattern))
    unreadable, allowed = 0, MAX_UNREADABLE * len(texts)
    for text in texts:
        unreadable += found.fullmatch(text) is None
        if unreadable > allowed:
            return False
    return True
