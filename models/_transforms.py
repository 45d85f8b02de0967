"""The transforms of a table's columns, in as few passes of tf.Transform as there are kinds of statistics.

Each analyzer costs the same hundreds of Beam stages whatever its data; columns that need the same statistic share one.
What the analyzers found can be read back (`learned`), for engines that cannot run the graph of tf.Transform.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import schema_inference

from models import _dates, _raw, _texts, _vocabularies
from models._transform_graph import TransformGraph
from models._wanted import WORDS_OF_TEXTS, Output

MISSING_TOKEN = "<missing>"
# A quantile is off by at most this share of the rows.
QUANTILE_ERROR = 0.01
Columns = dict[str, tf.Tensor]


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
    result |= _ids(columns, [output for output in wanted if output.kind in ("vocabulary", *WORDS_OF_TEXTS)])
    moments = read_dates(wanted, columns)
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
        for a vocabulary {"words": [...]}, with TF-IDF "idf" too, for a number and a year {"mean", "deviation"}, for
        buckets {"boundaries": [...]}.
    """
    found: dict[str, Any] = {output.name: {} for output in wanted}
    for output in wanted:
        if output.kind in ("vocabulary", *WORDS_OF_TEXTS):
            words = transform.vocabulary_by_name(vocabulary(output))
            found[output.name] = {"words": [word.decode(errors="surrogateescape") for word in words]}
        if output.options.get("weights") == "tfidf":
            counts = tf.constant(graph.learned(_counts_of(output.name)))
            found[output.name]["idf"] = _texts.inverse_document_frequencies(counts).numpy().tolist()
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
        if output.kind in WORDS_OF_TEXTS:
            how = {key: output.options[key] for key in ("ngrams", "weights", "length") if key in output.options}
            features[output.name] |= how | _texts.RECIPE
    return {"columns": columns, "missing_word": MISSING_TOKEN, "features": features}


def as_text(values: tf.Tensor) -> tf.Tensor:
    """Return strings [n] for a vocabulary; a missing value becomes a word of its own."""
    # 1.0 in a file and 1 in a list of classes are the same word.
    text = values if values.dtype == tf.string else tf.strings.as_string(values, shortest=values.dtype.is_floating)
    return tf.where(_raw.is_missing(values), MISSING_TOKEN, text)


def read_dates(wanted: Sequence[Output], columns: Mapping[str, tf.Tensor]) -> dict[str, _dates.Moments]:
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


def vocabulary(output: Output) -> str:
    """Return the name under which `TFTransformOutput.vocabulary_by_name` has the words of a feature."""
    return output.column if output.kind == "vocabulary" else output.name


def weights_of(bag: str) -> str:
    """Return the feature with the weights [n, length] of the n-grams of a bag."""
    return f"{bag}_weights"


def _counts_of(bag: str) -> str:
    return f"{bag}_counts"


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


def _ids(columns: Mapping[str, tf.Tensor], wanted: Sequence[Output]) -> Columns:
    """Return what is made of words; the vocabularies of all columns are found in one pass."""
    if not wanted:
        return {}
    words = {vocabulary(output): _words(columns[output.column], output) for output in wanted}
    limits = {vocabulary(output): {"top_k": output.options.get("max_words"), **output.options} for output in wanted}
    files = _vocabularies.vocabulary_files(words, limits, MISSING_TOKEN)
    weighted = [output.name for output in wanted if output.options.get("weights") == "tfidf"]
    counts = _vocabularies.row_counts({name: words[name] for name in weighted}, limits)
    counts = {name: tf.identity(found, _counts_of(name)) for name, found in counts.items()}
    result: Columns = {}
    for output in wanted:
        options, found, file = output.options, words[vocabulary(output)], files[vocabulary(output)]
        if output.kind == "vocabulary":
            # A word that is not in the vocabulary gets a bucket behind it.
            result[output.name] = tft.apply_vocabulary(found, file, num_oov_buckets=options.get("oov_buckets", 1))
        elif output.kind == "tokens":
            result[output.name] = _texts.token_ids(found, file, options["length"])
        else:
            result[output.name], result[weights_of(output.name)] = _texts.bag(
                found, file, counts.get(output.name), options
            )
    return result


def _words(texts: tf.Tensor, output: Output) -> tf.Tensor | tf.SparseTensor:
    if output.kind == "vocabulary":
        return as_text(texts)
    return _texts.ngrams(texts, output.options.get("ngrams", 1))


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
