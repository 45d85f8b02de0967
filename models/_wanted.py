"""Which transformed features a config wants of a table's columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from models import _dates

# By column, its transforms.
Plan = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Output:
    """One transformed feature.

    Attributes:
        name: of the feature.
        column: the raw column it is made of.
        kind: a key of `SUFFIXES`, or date.
        options: of the transform, from the config; of a date also `part`, and `form`: id, sin, cos, zscore or missing.
    """

    name: str
    column: str
    kind: str
    options: Mapping[str, Any]


SUFFIXES = {
    "vocabulary": "id", "hash": "hash", "bucketize": "bucket", "zscore": "zscore", "log": "log", "missing": "missing",
    "text": "bag", "tokens": "tokens",
}  # fmt: skip
WORDS_OF_TEXTS = ("text", "tokens")
FOR_TABLES = (*SUFFIXES, "date")
FOR_TEXT = ("vocabulary", "hash", "date", *WORDS_OF_TEXTS)


def outputs(raw_spec: Mapping[str, Any], columns: Sequence[str], plan: Plan) -> list[Output]:
    """Return the transformed features of some raw columns.

    Args:
        raw_spec: the feature spec of the raw data; a number that may be missing gets a feature that says so.
        columns: the raw columns to use.
        plan: by column, the transforms; without one, text gets a vocabulary and a number a z-score.

    Raises:
        ValueError: a transform that a table does not have, or that does not fit the type of its column.
    """
    found = []
    for column in columns:
        text = raw_spec[column].dtype == tf.string
        transforms = plan.get(column, [{"kind": "vocabulary" if text else "zscore"}])
        date = next((transform for transform in transforms if transform["kind"] == "date"), None)
        optional = not text and isinstance(raw_spec[column], tf.io.VarLenFeature)
        for transform in transforms:
            kind = transform["kind"]
            if kind not in FOR_TABLES:
                raise ValueError(
                    f"features.columns.{column}: a table has no such transform, got {kind}; one of "
                    f"{', '.join(FOR_TABLES)}"
                )
            if text and kind not in FOR_TEXT:
                raise ValueError(f"features.columns.{column}: text can get {', '.join(FOR_TEXT)}, got {kind}")
            if not text and kind in WORDS_OF_TEXTS:
                raise ValueError(f"features.columns.{column}: is a number, got {kind}; leave it to texts")
            if kind != "date":
                found.append(Output(f"{column}_{SUFFIXES[kind]}", column, kind, transform))
        if date:
            _require_readable_type(column, raw_spec[column].dtype, date)
            found += _date_outputs(column, date)
        elif optional:
            found.append(Output(f"{column}_missing", column, "missing", {"kind": "missing"}))
    return found


def _date_outputs(column: str, date: Mapping[str, Any]) -> list[Output]:
    forms: dict[str, tuple[str, str]] = {}
    for part in date["parts"]:
        circle = {f"{part}_sin": "sin", f"{part}_cos": "cos"} if date["cyclic"] else {part: "id"}
        forms |= {name: (part, form) for name, form in ({part: "zscore"} if part == "year" else circle).items()}
    # In a column without gaps too: what is there may be no date, and what no row gives is the wrong format.
    forms["missing"] = ("", "missing")
    kept = {key: date[key] for key in ("format", "pattern", "groups") if date.get(key)}
    return [
        Output(f"{column}_{name}", column, "date", {**kept, "part": part, "form": form})
        for name, (part, form) in forms.items()
    ]


def _require_readable_type(column: str, dtype: tf.DType, date: Mapping[str, Any]) -> None:
    """Raise ValueError when no date of this format can be in a column of this type."""
    place = f"features.columns.{column}.date: the format {date['format']!r}"
    if date["format"] in _dates.PER_SECOND:
        if not dtype.is_integer:
            raise ValueError(f"{place} needs whole numbers, got {dtype.name}; a float is off by minutes")
    elif dtype.is_floating or (dtype.is_integer and date["groups"][0] != "year"):
        raise ValueError(f"{place} needs text, got {dtype.name}; only a number that begins with the year can be read")
