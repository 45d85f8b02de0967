"""What TFDV finds different between a schema and data, as sentences that a person can decide on."""

import re
from collections.abc import Iterator
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from pipeline import schema_statistics

KINDS = {"INT": "whole numbers", "FLOAT": "numbers", "STRING": "text", "BYTES": "text"}
EXAMPLES = 3
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
# TFDV's word for the reason, without what its value was compared with.
OUT_OF_RANGE = re.compile(r"(INT|FLOAT|BOOL)_TYPE_(BIG|SMALL|UNEXPECTED)_(INT|FLOAT)")


def sentences(
    schema: schema_pb2.Schema,
    statistics: statistics_pb2.DatasetFeatureStatistics,
    anomalies: anomalies_pb2.Anomalies,
) -> dict[str, list[str]]:
    """Return what is different, by column: those of the schema in its order, then the new ones.

    Args:
        schema: the curated one.
        statistics: of the data.
        anomalies: TFDV's findings about the two.
    """
    features, columns = {feature.name: feature for feature in schema.feature}, schema_statistics.by_column(statistics)
    found = {info.path.step[0]: info for info in anomalies.anomaly_info.values()}
    order = [name for name in dict.fromkeys([*features, *columns, *found]) if name in found]
    return {name: list(_sentences(features.get(name), columns.get(name), found[name])) for name in order}


def _sentences(feature: Any, column: Any, info: anomalies_pb2.AnomalyInfo) -> Iterator[str]:
    """Yield the sentences of one column, each kind of finding once."""
    reasons = {anomalies_pb2.AnomalyInfo.Type.Name(reason.type): reason for reason in info.reason}
    if "SCHEMA_NEW_COLUMN" in reasons:
        yield f"a new column, {_content(column)}"
        return
    if "SCHEMA_MISSING_COLUMN" in reasons:
        yield "the column is gone"
        return
    if "UNEXPECTED_DATA_TYPE" in reasons:
        example = next((word for word, _ in schema_statistics.words(column) if not NUMBER.fullmatch(word)), None)
        kinds = f"{_kind(column)} now, {KINDS[schema_pb2.FeatureType.Name(feature.type)]} in the schema"
        yield f"{kinds}, such as {example!r}" if example else kinds
        return
    if reasons.keys() > {"INVALID_FEATURE_SHAPE"}:
        del reasons["INVALID_FEATURE_SHAPE"]
    told = [_sentence(kind, reason, feature, column) for kind, reason in reasons.items()]
    yield from dict.fromkeys(told)


def _sentence(kind: str, reason: Any, feature: Any, column: Any) -> str:
    if kind == "FEATURE_TYPE_NOT_PRESENT":
        return "empty in every row"
    if kind == "FEATURE_TYPE_LOW_FRACTION_PRESENT":
        share, wanted = schema_statistics.present(column), feature.presence.min_fraction
        return f"a value in {percent(share)} of the rows, at least {percent(wanted)} in the schema"
    if kind == "ENUM_TYPE_UNEXPECTED_STRING_VALUES":
        return _unlisted(reason.description)
    if OUT_OF_RANGE.fullmatch(kind):
        numbers = column.num_stats
        return f"values from {numbers.min:g} to {numbers.max:g}, {_allowed(feature)} in the schema"
    text = reason.description or reason.short_description
    return text[:1].lower() + text[1:].strip().rstrip(".")


def _unlisted(description: str) -> str:
    """Return TFDV's `… missing from the schema: blue (~18%), red (<1%).` as a sentence of a few examples."""
    values = re.findall(r"(.+?) \(([~<]\d+%)\)(?:, |\. ?$|$)", description.partition(": ")[2].strip())
    examples = ", ".join(f"{value!r} ({share})" for value, share in values[:EXAMPLES])
    more = f" and {len(values) - EXAMPLES} more" if len(values) > EXAMPLES else ""
    return f"values that the schema does not list: {examples}{more}"


def _allowed(feature: schema_pb2.Feature) -> str:
    if feature.HasField("bool_domain"):
        return "0 and 1"
    domain = feature.int_domain if feature.HasField("int_domain") else feature.float_domain
    low, high = (f"{getattr(domain, end):g}" if domain.HasField(end) else "" for end in ("min", "max"))
    if low and high:
        return f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}"


def _content(column: Any) -> str:
    """Return what a column holds: `text, 2 values such as 'blue'`."""
    if schema_statistics.common(column).num_non_missing == 0:
        return "empty"
    if column.HasField("num_stats"):
        return f"{_kind(column)} from {column.num_stats.min:g} to {column.num_stats.max:g}"
    examples = ", ".join(repr(word) for word, _ in schema_statistics.words(column)[:EXAMPLES])
    return f"text, {column.string_stats.unique} values such as {examples}"


def _kind(column: Any) -> str:
    return KINDS[statistics_pb2.FeatureNameStatistics.Type.Name(column.type)]


def percent(share: float) -> str:
    """Return 0.933 as `93.3 %`; 0 % is none and 100 % is all."""
    text = f"{100 * share:.1f}"
    if text in ("0.0", "100.0") and 0 < share < 1:
        return "under 0.1 %" if text == "0.0" else "over 99.9 %"
    return f"{text.removesuffix('.0')} %"
