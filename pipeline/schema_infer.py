"""A schema from statistics: TFDV's, with the slack that a person would give it before the next data come."""

import math
from typing import Any

from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from pipeline import schema_statistics

# The share of rows that may have a value of text which is not listed; the model has a place for such words.
UNLISTED_SHARE = 0.02
# A list of values is a domain when each stands in so many rows on average.
ROWS_A_VALUE = 5
# A split may have so many times fewer rows than the data.
SMALL_SPLIT = 10


def schema(statistics: statistics_pb2.DatasetFeatureStatistics, label: str) -> schema_pb2.Schema:
    """Return the schema that data like these fit, the columns in their order.

    Args:
        statistics: of all rows.
        label: its values must be listed ones, in every row.
    """
    import tensorflow_data_validation as tfdv

    found = tfdv.infer_schema(schema_statistics.as_list(statistics), infer_feature_shape=True)
    columns = schema_statistics.by_column(statistics)
    for feature in found.feature:
        loosen(found, feature, columns[feature.name], label)
    return found


def loosen(schema: schema_pb2.Schema, feature: schema_pb2.Feature, column: Any, label: str) -> None:
    """Give one feature of an inferred schema some slack, in place.

    Args:
        schema: the one the feature is in.
        feature: what TFDV inferred.
        column: the statistics it was inferred from.
        label: the column that gets none.
    """
    if schema_statistics.present(column) < 1:
        set_presence(feature, column)
    if feature.domain and feature.name != label:
        if column.string_stats.unique * ROWS_A_VALUE > schema_statistics.common(column).num_non_missing:
            drop_domain(schema, feature)
        else:
            feature.distribution_constraints.min_domain_mass = 1 - UNLISTED_SHARE


def set_presence(feature: schema_pb2.Feature, column: Any) -> None:
    """Demand as many values as the data have, with slack, in place; none at all where the slack takes all."""
    counts = schema_statistics.common(column)
    rows = counts.num_non_missing + counts.num_missing
    feature.ClearField("presence")
    if bound := lower_bound(schema_statistics.present(column), rows):
        feature.presence.min_fraction, feature.presence.min_count = bound, 1


def lower_bound(share: float, rows: int) -> float:
    """Return the least share of rows with a value that is still normal, in steps of 0.05.

    Args:
        share: of the rows that have one.
        rows: how many there are. A split with a tenth of them must not fall below it by chance, nor the next data by
            two points.
    """
    chance = 3 * math.sqrt(share * (1 - share) * SMALL_SPLIT / max(rows, 1))
    return max(math.floor((share - max(chance, 0.02)) * 20 + 1e-9), 0) / 20


def drop_domain(schema: schema_pb2.Schema, feature: schema_pb2.Feature) -> None:
    """Let a feature have any text, in place."""
    for i, domain in enumerate(schema.string_domain):
        if domain.name == feature.domain and sum(other.domain == domain.name for other in schema.feature) == 1:
            del schema.string_domain[i]
            break
    feature.ClearField("domain")
