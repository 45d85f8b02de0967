"""Rows and label balance of each split, from the statistics that StatisticsGen wrote."""

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from pipeline.config import Label
from pipeline.node import Outputs

# Of more classes, the largest and the smallest are shown.
SHOWN = 3


@dataclass(frozen=True)
class Split:
    """One split.

    Attributes:
        rows: how many.
        columns: how many.
        shares: of the rows that have a label, by class, largest first; of a class that is a number above 1, to about
            a row. Empty for a regression, and for whole numbers that lie far apart.
        mean: of a label of numbers.
    """

    rows: int
    columns: int
    shares: dict[str, float] = field(default_factory=dict)
    mean: float | None = None


def read(outputs: Outputs, label: Label) -> dict[str, Split]:
    """Return the splits by name, in the order in which they were made."""
    artifact = artifact_utils.get_single_instance(outputs["statistics"])
    found = {}
    for name in artifact_utils.decode_split_names(artifact.split_names):
        statistics = statistics_pb2.DatasetFeatureStatisticsList()
        with fileio.open(os.path.join(artifact.uri, f"Split-{name}", "FeatureStats.pb"), "rb") as file:
            statistics.ParseFromString(file.read())
        found[name] = _split(statistics.datasets[0], label)
    return found


def as_json(splits: Mapping[str, Split]) -> dict[str, Any]:
    """Return splits as plain JSON, for the record of a run."""
    return {name: asdict(split) for name, split in splits.items()}


def line(splits: Mapping[str, Split], label: Label) -> str:
    """Return splits in words: `train 10,008 rows (22.1 % 1), eval 4,994 (23.3 % 1), 19 columns`."""
    texts: list[str] = []
    for name, split in splits.items():
        balance = _balance(split, label)
        rows = f"{split.rows:,}" if texts else f"{split.rows:,} rows"
        texts.append(f"{name} {rows} ({balance})" if balance else f"{name} {rows}")
    return ", ".join([*texts, f"{max((split.columns for split in splits.values()), default=0)} columns"])


def _balance(split: Split, label: Label) -> str:
    if label.task == "regression":
        return "" if split.mean is None else f"mean {split.mean:.4g}"
    if label.task == "binary":
        positive = str(label.classes[1]) if label.classes else "1"
        return f"{split.shares.get(positive, 0):.1%} {positive}".replace("%", " %") if split.shares else ""
    parts = [f"{share:.0%} {name}".replace("%", " %") for name, share in split.shares.items()]
    if len(parts) > SHOWN:
        return f"{len(parts)} classes, {parts[0]} to {parts[-1]}"
    return ", ".join(parts)


def _split(statistics: statistics_pb2.DatasetFeatureStatistics, label: Label) -> Split:
    split = Split(statistics.num_examples, len(statistics.features))
    for feature in statistics.features:
        if (feature.name or "".join(feature.path.step)) == label.name:
            kind = feature.WhichOneof("stats")
            if kind == "string_stats":
                counts = {bucket.label: bucket.sample_count for bucket in feature.string_stats.rank_histogram.buckets}
                return Split(split.rows, split.columns, _shares(counts))
            if kind == "num_stats" and feature.num_stats.common_stats.num_non_missing:
                return Split(split.rows, split.columns, _numbered(feature.num_stats, label), feature.num_stats.mean)
    return split


def _numbered(statistics: statistics_pb2.NumericStatistics, label: Label) -> dict[str, float]:
    """Return the shares of classes that are numbers: of two from the mean, of more from the histogram."""
    if label.task == "regression":
        return {}
    if label.task == "binary":
        low, high = label.classes or (0, 1)
        share = (statistics.mean - float(low)) / (float(high) - float(low))
        return _shares({str(low): 1 - share, str(high): share})
    counts: dict[str, float] = {}
    for bucket in statistics.histograms[0].buckets:
        # Ten buckets over fewer than ten whole numbers hold at most one each.
        number = math.ceil(bucket.low_value)
        if bucket.high_value - bucket.low_value < 1 and bucket.sample_count >= 0.5:
            counts[str(number)] = counts.get(str(number), 0) + bucket.sample_count
    return _shares(counts)


def _shares(counts: Mapping[str, float]) -> dict[str, float]:
    total = sum(counts.values())
    return (
        {name: counts[name] / total for name in sorted(counts, key=counts.__getitem__, reverse=True)} if total else {}
    )
