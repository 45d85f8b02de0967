"""The transforms of a table's columns, in as few passes of tf.Transform as there are kinds of statistics.

Each analyzer costs the same hundreds of Beam stages whatever its data; columns that need the same statistic share one.
What the analyzers found can be read back (`learned`), for engines that cannot run the graph of tf.Transform.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import schema_inference

from models import _dates, _raw, _vocabularies
from models._transform_graph import TransformGraph

MISSING_TOKEN = "<missing>"
# A quantile is off by at most this share of the rows.
QUANTILE_ERROR = 0.01
Columns = dict[str, tf.Tensor]
Plan = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Output:
    """One transformed feature.

    Attributes:
        name: of the feature.
        column: the raw column it is made of.
        kind: vocabulary, hash, bucketize, zscore, log, missing or date.
        options: of the transform, from the config; of a date also `part`, and `form`: id, sin, cos, zscore or missing.
    """

    name: str
    column: str
    kind: str
    options: Mapping[str, Any]


SUFFIXES = {
    "vocabulary": "id", "hash": "hash", "bucketize": "bucket", "zscore": "zscore", "log": "log", "missing": "missing",
}  # fmt: skip
FOR_TABLES = (*SUFFIXES, "date")
FOR_TEXT = ("vocabulary", "hash", "date")


def outputs(raw_spec: Mapping[str, Any], columns: Sequence[str], plan: Plan) -> list[Output]:
    """Return the transformed features of some raw columns.

    Args:
        raw_spec: the feature spec of the raw data; a number that may be missing gets a feature that says so.
        columns: the raw columns to use.
        plan: by column, the transforms; without one, text gets a vocabulary and a number a z-score.
    """
    found = []
    for column in columns:
        text = raw_spec[column].dtype == tf.string
        transforms = plan.get(column, [{"kind": "vocabulary" if text else "zscore"}])
        date = next((transform for transform in transforms if transform["kind"] == "date"), None)
        optional = not text and isinstance(raw_spec[column], tf.io.VarLenFeature)
        for transform in transforms:
            if transform["kind"] not in FOR_TABLES:
                raise ValueError(f"features.columns.{column}: a table has no such transform, got {transform['kind']}")
            kind = transform["kind"]
            if text and kind not in FOR_TEXT:
                raise ValueError(f"features.columns.{column}: text can get {', '.join(FOR_TEXT)}, got {kind}")
            if kind != "date":
                found.append(Output(f"{column}_{SUFFIXES[kind]}", column, kind, transform))
        if date:
            _require_readable_type(column, raw_spec[column].dtype, date)
            found += _date_outputs(column, date, missing=optional or text)
        elif optional:
            found.append(Output(f"{column}_missing", column, "missing", {"kind": "missing"}))
    return found


def _date_outputs(column: str, date: Mapping[str, Any], *, missing: bool) -> list[Output]:
    forms: dict[str, tuple[str, str]] = {}
    for part in date["parts"]:
        circle = {f"{part}_sin": "sin", f"{part}_cos": "cos"} if date["cyclic"] else {part: "id"}
        forms |= {name: (part, form) for name, form in ({part: "zscore"} if part == "year" else circle).items()}
    if missing:
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


def transformed(columns: Mapping[str, tf.Tensor], wanted: Sequence[Output]) -> Columns:
    """Apply the transforms inside a preprocessing_fn.

    Args:
        columns: raw vectors [n] by name, missing values marked as `models/_raw.py` says.
        wanted: what to make of them.

    Returns:
        numbers float32 [n] and ids int64 [n], by name.
    """
    result = {
        output.name: tf.cast(_raw.is_missing(columns[output.column]), tf.float32)
        for output in wanted
        if output.kind == "missing"
    }
    texts = {output.column: output for output in wanted if output.kind == "vocabulary"}
    result |= _ids({name: as_text(columns[name]) for name in texts}, texts)
    moments = _moments(wanted, columns)
    for output in wanted:
        if output.kind == "hash":
            result[output.name] = _hashed(columns[output.column], output.options["buckets"])
        elif output.kind == "date" and output.options["form"] != "zscore":
            result[output.name] = _date(moments[output.column], output.options)
    result |= _z_scores(_scaled(wanted), columns, moments)
    for count, group in _by_buckets(wanted).items():
        result |= _buckets(group, columns, count)
    return result


def learned(graph: TransformGraph, transform: tft.TFTransformOutput, wanted: Sequence[Output]) -> dict[str, Any]:
    """Return what the analyzers found, by transformed feature.

    Returns:
        for a vocabulary {"words": [...]}, for a number and a year {"mean", "deviation"}, for buckets
        {"boundaries": [...]}.
    """
    found: dict[str, Any] = {output.name: {} for output in wanted}
    for output in wanted:
        if output.kind == "vocabulary":
            words = transform.vocabulary_by_name(output.column)
            found[output.name] = {"words": [word.decode(errors="surrogateescape") for word in words]}
    if scaled := _scaled(wanted):
        mean, deviation = _mean_and_deviation(graph.learned("moments"), np)
        for output, middle, width in zip(scaled, mean.tolist(), deviation.tolist(), strict=True):
            found[output.name] = {"mean": middle, "deviation": width}
    for count, group in _by_buckets(wanted).items():
        for output, boundaries in zip(group, graph.learned(f"boundaries_{count}").tolist(), strict=True):
            found[output.name] = {"boundaries": boundaries}
    return found


def recipe(wanted: Sequence[Output], learned: Mapping[str, Any], raw_spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the transforms as data, for a program that has neither TensorFlow nor the graph.

    Returns:
        {"columns": {column: dtype}, "features": {feature: {column, kind, oov_buckets or what was learned}}}.
    """
    columns = {output.column: raw_spec[output.column].dtype.name for output in wanted}
    features = {}
    for output in wanted:
        features[output.name] = {"column": output.column, "kind": output.kind, **learned[output.name]}
        if output.kind == "vocabulary":
            features[output.name]["oov_buckets"] = output.options.get("oov_buckets", 1)
        if output.kind == "hash":
            features[output.name]["buckets"] = output.options["buckets"]
        if output.kind == "date":
            features[output.name] |= output.options
            if output.options["form"] in ("id", "sin", "cos"):
                features[output.name] |= zip(("least", "count"), _dates.CIRCLES[output.options["part"]], strict=True)
    return {"columns": columns, "missing_word": MISSING_TOKEN, "features": features}


def as_text(values: tf.Tensor) -> tf.Tensor:
    """Return strings [n] for a vocabulary; a missing value becomes a word of its own."""
    # 1.0 in a file and 1 in a list of classes are the same word.
    text = values if values.dtype == tf.string else tf.strings.as_string(values, shortest=values.dtype.is_floating)
    return tf.where(_raw.is_missing(values), MISSING_TOKEN, text)


def _moments(wanted: Sequence[Output], columns: Mapping[str, tf.Tensor]) -> dict[str, _dates.Moments]:
    """Return the moments [n] of the columns that are dates; each is read once, whatever becomes of it."""
    options = {output.column: output.options for output in wanted if output.kind == "date"}
    return {column: _dates.read(columns[column], how) for column, how in options.items()}


def _date(moments: _dates.Moments, options: Mapping[str, Any]) -> tf.Tensor:
    values = _dates.feature(moments, options["part"], options["form"])
    return _as_ids(values, _dates.CIRCLES[options["part"]][1]) if options["form"] == "id" else values


def _hashed(values: tf.Tensor, buckets: int) -> tf.Tensor:
    """Return the bucket int64 [n] of each value; behind them all, that of the missing ones."""
    bucket = tf.strings.to_hash_bucket_fast(as_text(values), buckets)
    return _as_ids(tf.where(_raw.is_missing(values), tf.constant(buckets, tf.int64), bucket), buckets)


def _as_ids(values: tf.Tensor, last: int) -> tf.Tensor:
    """Return int64 [n], said to be ids from 0 to `last` in the transformed schema, as `tft.apply_vocabulary` does."""
    ids = tf.identity(values)
    schema_inference.set_tensor_schema_override(ids, tf.constant(0, tf.int64), tf.constant(last, tf.int64))
    return ids


def _scaled(wanted: Sequence[Output]) -> list[Output]:
    return [o for o in wanted if o.kind in ("zscore", "log") or (o.kind == "date" and o.options["form"] == "zscore")]


def _by_buckets(wanted: Sequence[Output]) -> dict[int, list[Output]]:
    groups: dict[int, list[Output]] = defaultdict(list)
    for output in wanted:
        if output.kind == "bucketize":
            groups[output.options.get("buckets", 10)].append(output)
    return groups


def _known(values: tf.Tensor) -> tf.Tensor:
    """Return float64 [n], NaN where a value is missing; float64, since float32 cannot tell two timestamps apart."""
    numbers = tf.cast(values, tf.float64)
    return tf.where(_raw.is_missing(values), tf.constant(float("nan"), tf.float64), numbers)


def _log(numbers: tf.Tensor) -> tf.Tensor:
    return tf.sign(numbers) * tf.math.log1p(tf.abs(numbers))


def _ids(texts: Columns, wanted: Mapping[str, Output]) -> Columns:
    """Return the place of each word in its column's vocabulary; a word that is not in it gets a bucket behind."""
    if not texts:
        return {}
    options = {column: output.options for column, output in wanted.items()}
    files = _vocabularies.vocabulary_files(texts, options, MISSING_TOKEN)
    return {
        wanted[column].name: tft.apply_vocabulary(
            text, files[column], num_oov_buckets=options[column].get("oov_buckets", 1)
        )
        for column, text in texts.items()
    }


def _z_scores(
    wanted: Sequence[Output], columns: Mapping[str, tf.Tensor], moments: Mapping[str, _dates.Moments]
) -> Columns:
    """Return (x - mean) / standard deviation over the known values; 0, the mean, where one is missing."""
    if not wanted:
        return {}

    def number(output: Output) -> tf.Tensor:
        if output.kind == "date":
            return _dates.year(moments[output.column])
        known = _known(columns[output.column])
        return _log(known) if output.kind == "log" else known

    x = tf.stack([number(output) for output in wanted], axis=1)
    missing = tf.math.is_nan(x)
    known = tf.where(missing, tf.zeros_like(x), x)
    moments = tft.sum(
        tf.stack([tf.cast(~missing, tf.float64), known, known * known], axis=1), reduce_instance_dims=False
    )
    mean, deviation = _mean_and_deviation(tf.identity(moments, "moments"), tf)
    scaled = tf.cast(tf.where(missing, tf.zeros_like(x), (x - mean) / deviation), tf.float32)
    return {output.name: scaled[:, i] for i, output in enumerate(wanted)}


def _mean_and_deviation(moments: Any, library: Any) -> tuple[Any, Any]:
    """Return mean and standard deviation [columns] from count, sum and sum of squares [3, columns].

    Args:
        moments: a tensor or array.
        library: tf or numpy, to match.
    """
    count, total, squares = moments[0], moments[1], moments[2]
    mean = total / library.maximum(count, 1)
    variance = library.maximum(squares / library.maximum(count, 1) - mean * mean, 0)
    return mean, library.where(variance > 0, library.sqrt(variance), library.ones_like(variance))


def _buckets(wanted: Sequence[Output], columns: Mapping[str, tf.Tensor], count: int) -> Columns:
    """Return the number of the quantile bucket of each value; a missing one shares the bucket of 0."""
    x = tf.cast(tf.stack([_known(columns[output.column]) for output in wanted], axis=1), tf.float32)
    boundaries = tft.quantiles(x, count, epsilon=QUANTILE_ERROR, reduce_instance_dims=False)
    boundaries = tf.identity(boundaries, f"boundaries_{count}")
    known = tf.where(tf.math.is_nan(x), tf.zeros_like(x), x)
    return {output.name: tft.apply_buckets(known[:, i], boundaries[i : i + 1]) for i, output in enumerate(wanted)}
