"""TFDV's statistics of a table in this process: those of StatisticsGen, without Beam and in flat memory."""

from collections.abc import Iterable
from functools import reduce
from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2


def of_batches(batches: Iterable[Any]) -> statistics_pb2.DatasetFeatureStatistics:
    """Return the statistics of a table's rows.

    Args:
        batches: pyarrow RecordBatches of columns, one value or none a cell.
    """
    # What `tfdv.generate_statistics_from_dataframe` calls; a DataFrame would hold all rows, and make whole numbers with
    # a gap into floats.
    from tensorflow_data_validation.statistics import stats_impl, stats_options

    from data.loaders import _features

    generators = stats_impl.get_generators(stats_options.StatsOptions(), in_memory=True)

    def counted(found: list[Any], batch: Any) -> list[Any]:
        features = _features.as_features(batch)
        return [generator.add_input(part, features) for generator, part in zip(generators, found, strict=True)]

    found = reduce(counted, batches, [generator.create_accumulator() for generator in generators])
    return stats_impl.extract_statistics_output(found, generators).datasets[0]


def as_list(statistics: statistics_pb2.DatasetFeatureStatistics) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Return the statistics as TFDV's functions take them."""
    return statistics_pb2.DatasetFeatureStatisticsList(datasets=[statistics])


def by_column(statistics: statistics_pb2.DatasetFeatureStatistics) -> dict[str, Any]:
    """Return the FeatureNameStatistics of each column."""
    return {feature.path.step[0]: feature for feature in statistics.features}


def common(feature: Any) -> Any:
    """Return the part of a column's statistics that all types have: rows with and without a value."""
    return getattr(feature, feature.WhichOneof("stats")).common_stats


def present(feature: Any) -> float:
    """Return the share of rows that have a value, 0..1."""
    counts = common(feature)
    return counts.num_non_missing / max(counts.num_non_missing + counts.num_missing, 1)


def words(feature: Any) -> list[tuple[str, int]]:
    """Return the most frequent values of a text column with their counts, at most TFDV's 1,000, most frequent first."""
    buckets = feature.string_stats.rank_histogram.buckets
    found = [(bucket.label, int(bucket.sample_count)) for bucket in buckets]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))
