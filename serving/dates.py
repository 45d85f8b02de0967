"""What a date of `preprocessing.json` means, with Python's own calendar."""

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from serving.rows import MISSING

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the clock as it was written, whose zone is not told
UNITS = {"unix": "seconds", "unix_ms": "milliseconds"}
MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")


def moments(feature: Mapping[str, Any], column: Any) -> list[datetime | None]:
    """Return the moments [n] of a column, None where a date is missing or cannot be read.

    Args:
        feature: its entry of `preprocessing.json`: `format`, and for texts `pattern` and `groups`.
        column: numbers or bytes [n], a missing value as `serving/rows.py` has it.
    """
    values = np.asarray(column).tolist()
    if feature["format"] in UNITS:
        return [_of_number(value, UNITS[feature["format"]]) for value in values]
    texts = [value if isinstance(value, bytes) else str(value).encode() for value in values]
    pattern = re.compile(feature["pattern"].encode())
    return [_of_text(pattern.fullmatch(text), feature["groups"]) for text in texts]


def values(feature: Mapping[str, Any], found: list[datetime | None]) -> np.ndarray:
    """Return the feature [n]: ids int64, numbers float32.

    Args:
        feature: its entry: `form`, `part`, and `least` and `count` or `mean` and `deviation`.
        found: the moments.
    """
    form = feature["form"]
    if form == "missing":
        return np.array([moment is None for moment in found], np.float32)
    parts = [None if moment is None else _part(moment, feature["part"]) for moment in found]
    if form == "zscore":
        scaled = [0.0 if part is None else (part - feature["mean"]) / feature["deviation"] for part in parts]
        return np.array(scaled, np.float32)
    least, count = feature["least"], feature["count"]
    ids = [count if part is None else part - least for part in parts]
    if form == "id":
        return np.array(ids, np.int64)
    wave = math.sin if form == "sin" else math.cos
    return np.array([0.0 if i == count else wave(2 * math.pi * i / count) for i in ids], np.float32)


def _part(moment: datetime, part: str) -> int:
    return moment.weekday() if part == "weekday" else getattr(moment, part)


def _of_number(value: int, unit: str) -> datetime | None:
    try:
        return None if value == MISSING["int"] else EPOCH + timedelta(**{unit: value})
    except OverflowError:
        return None


def _of_text(match: re.Match[bytes] | None, groups: list[str]) -> datetime | None:
    if match is None:
        return None
    found = {group: text or b"0" for group, text in zip(groups, match.groups(), strict=True)}
    year, month = int(found.get("year", 2000)), int(found.get("month", 1))
    hour = int(found.get("hour", 0))
    if "year_of_century" in found:
        short = int(found["year_of_century"])
        year = short + (2000 if short < 69 else 1900)
    if "month_name" in found:
        month = MONTHS.index(found["month_name"][:3].lower()) + 1
    if "half" in found:
        hour = int(found["hour_of_half"]) % 12 + 12 * (found["half"].lower() == b"pm")
    try:
        return datetime(year, month, int(found.get("day", 1)), hour)  # noqa: DTZ001
    except ValueError:
        return None
