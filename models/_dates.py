"""Dates and points in time as parts of the calendar: hour, weekday, month, day, year.

Numbers since 1970 are taken apart in operations that TFLite has too; texts are read with a regular expression, which it
has not. What cannot be read is missing, and so is a year before 1 or after 9999, as in Python's datetime.

Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

# By part, its least value and how many it has. The id of a value is its distance from the least.
CIRCLES = {"hour": (0, 24), "weekday": (0, 7), "month": (1, 12), "day": (1, 31)}
PER_SECOND = {"unix": 1, "unix_ms": 1000}
DAY_S = 86_400
FIRST_S, END_S = -62_135_596_800, 253_402_300_800
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Where a format does not tell it.
DEFAULTS = {"year": 2000, "month": 1, "day": 1, "hour": 0}


@dataclass(frozen=True)
class Moments:
    """Points in time as their parts.

    Attributes:
        known: bool [n], whether there is a date that can be read.
        parts: int32 [n] by part: year, month 1..12, day 1..31, hour 0..23 and weekday, Monday 0; where a date is not
            known, those of some date.
    """

    known: tf.Tensor
    parts: Mapping[str, tf.Tensor]


def read(values: tf.Tensor, options: Mapping[str, Any]) -> Moments:
    """Return the moments [n] of a column.

    Args:
        values: int64 [n] for a format of numbers, else strings [n] or, where the year comes first, int64.
        options: `format`, and the `pattern` of a text with its `groups`.
    """
    if options["format"] in PER_SECOND:
        return _of_numbers(values, PER_SECOND[options["format"]])
    texts = values if values.dtype == tf.string else tf.strings.as_string(values)
    return _of_texts(texts, options["pattern"], options["groups"])


def feature(moments: Moments, part: str, form: str) -> tf.Tensor:
    """Return one part of the moments [n].

    Args:
        moments: of a column.
        part: a key of `CIRCLES`; without meaning for the form missing.
        form: id (int64, the number of values where a date is missing), sin or cos (float32, 0 where it is missing), or
            missing (float32, 1 where it is).
    """
    if form == "missing":
        return tf.cast(~moments.known, tf.float32)
    least, count = CIRCLES[part]
    ids = tf.where(moments.known, moments.parts[part] - least, count)
    if form == "id":
        return tf.cast(ids, tf.int64)
    wave = math.sin if form == "sin" else math.cos
    # Looked up, not computed: every engine has the same numbers, and the missing one is in the middle of the circle.
    return tf.gather(tf.constant([wave(2 * math.pi * i / count) for i in range(count)] + [0.0]), ids)


def year(moments: Moments) -> tf.Tensor:
    """Return the year as float64 [n], NaN where a date is missing."""
    years = tf.cast(moments.parts["year"], tf.float64)
    return tf.where(moments.known, years, tf.constant(float("nan"), tf.float64))


def refuse_unread(blocks: Iterable[tuple[Mapping[str, Any], Any]], plan: Mapping[str, Sequence[Any]]) -> None:
    """Raise ValueError when a column's format reads not one date of a split: it is the wrong one.

    Args:
        blocks: (transformed features [n] by name, label) of the split, block by block; read until all is well.
        plan: by column, the transforms.
    """
    dates = [(column, how) for column, transforms in plan.items() for how in transforms if how["kind"] == "date"]
    unread = {f"{column}_missing": (column, how["format"]) for column, how in dates}
    for features, _ in blocks if unread else ():
        unread = {flag: date for flag, date in unread.items() if flag in features and features[flag].all()}
        if not unread:
            return
    for column, text in unread.values():
        raise ValueError(f"features.columns.{column}.date: the format reads no row, got {text!r}; look at the data")


def _of_numbers(values: tf.Tensor, per_second: int) -> Moments:
    known = (values >= FIRST_S * per_second) & (values < END_S * per_second)
    inside = tf.where(known, values, tf.zeros_like(values))
    of_day = inside % (DAY_S * per_second)
    # TFLite does not divide int64. A float32 does it exactly: the quotient is whole and has 22 bits at most.
    days = tf.cast(tf.round(tf.cast(inside - of_day, tf.float32) / (DAY_S * per_second)), tf.int32)
    hour = tf.cast(of_day, tf.int32) // (3600 * per_second)
    parts = dict(zip(("year", "month", "day"), _civil(days), strict=True))
    return Moments(known, {**parts, "hour": hour, "weekday": _weekday(days)})


def _of_texts(texts: tf.Tensor, pattern: str, groups: Sequence[str]) -> Moments:
    matches = tf.strings.regex_full_match(texts, pattern)
    found = {}
    for number, group in enumerate(groups, start=1):
        # An optional part that is not there is an empty text: 0 before it makes it a number.
        only = tf.strings.regex_replace(texts, f"^(?:{pattern})$", rf"0\{number}")
        found[group] = tf.where(matches, only, "0")
    fields = {part: tf.fill(tf.shape(texts), value) for part, value in DEFAULTS.items()}
    fields |= {group: tf.strings.to_number(found[group], tf.int32) for group in groups if group in DEFAULTS}
    if "year_of_century" in found:
        short = tf.strings.to_number(found["year_of_century"], tf.int32)
        fields["year"] = short + tf.where(short < 69, 2000, 1900)  # as POSIX and Python have it
    if "month_name" in found:
        fields["month"] = _month(found["month_name"])
    if "half" in found:
        hour = tf.strings.to_number(found["hour_of_half"], tf.int32) % 12
        fields["hour"] = hour + 12 * tf.cast(tf.equal(tf.strings.lower(found["half"]), "0pm"), tf.int32)
    days = _days(fields["year"], fields["month"], fields["day"])
    # A 30th of February is another day of the calendar.
    _, month, day = _civil(days)
    real = (month == fields["month"]) & (day == fields["day"]) & (fields["year"] >= 1)
    return Moments(matches & real, {**fields, "weekday": _weekday(days)})


def _month(names: tf.Tensor) -> tf.Tensor:
    """Return int32 [n], 1 to 12, of English names behind a 0; 0 for a 0 alone."""
    known = tf.constant([f"0{name}" for name in MONTHS])
    equal = tf.equal(tf.strings.substr(tf.strings.lower(names), 0, 4)[:, None], known[None, :])
    return tf.reduce_sum(tf.cast(equal, tf.int32) * tf.range(1, 13), axis=1)


def _weekday(days: tf.Tensor) -> tf.Tensor:
    return (days + 3) % 7  # 1970 began on a Thursday


def _civil(days: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return year, month and day of days int32 [n] since 1970; years begin in March and come in eras of 400."""
    era = (days + 719_468) // 146_097
    of_era = days + 719_468 - era * 146_097
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * of_year + 2) // 153
    day = of_year - (153 * from_march + 2) // 5 + 1
    month = tf.where(from_march < 10, from_march + 3, from_march - 9)
    return year_of_era + era * 400 + tf.cast(month <= 2, tf.int32), month, day


def _days(year: tf.Tensor, month: tf.Tensor, day: tf.Tensor) -> tf.Tensor:
    """Return the days int32 [n] since 1970 of dates of the calendar: the inverse of `_civil`."""
    year = year - tf.cast(month <= 2, tf.int32)
    era = year // 400
    year_of_era = year - era * 400
    of_year = (153 * tf.where(month > 2, month - 3, month + 9) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + of_year - 719_468
