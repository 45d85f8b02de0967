"""`slipway schema`: the schema of a config written, compared with the data there are, and brought up to them."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from pipeline import (
    config_file,
    names,
    raw_rows,
    schema_file,
    schema_infer,
    schema_statistics,
    schema_words,
    yaml_file,
)
from pipeline.config_file import ConfigFile
from pipeline.data_files import curated_schema
from pipeline.errors import DATA_REFUSED, DONE, ConfigError, SetupError
from pipeline.screen import logged_to


@dataclass(frozen=True)
class Findings:
    """The curated schema beside the data.

    Attributes:
        path: of the schema.
        schema: its content.
        statistics: of all rows.
        anomalies: TFDV's findings about the two.
        words: them in sentences, by column.
    """

    path: Path
    schema: schema_pb2.Schema
    statistics: statistics_pb2.DatasetFeatureStatistics
    anomalies: anomalies_pb2.Anomalies
    words: dict[str, list[str]]


def infer(config: Path, overrides: Sequence[str], home: Path, *, force: bool) -> list[str]:
    """Write the schema of a config's data, and return what to tell.

    Raises:
        ConfigError: the config is wrong.
        SetupError: the file is there already.
        DataError: the data cannot be read.
    """
    wanted = yaml_file.read(config, overrides).data.get("schema")
    path = config.parent / str(wanted) if wanted else config.with_suffix(".schema.pbtxt")
    schema_file.require_free([path], "slipway schema infer", force=force)
    # Without the old schema, or the one that is not there yet: it must not decide what is a number with a fraction.
    file = config_file.read(config, (*overrides, "schema=null"), home)
    with _at_work(home):
        statistics = schema_statistics.of_batches(raw_rows.of_config(file).batches())
        found = schema_infer.schema(statistics, file.config.label.name)
    command = f"slipway schema infer {shlex.quote(str(file.path))}"
    schema_file.write_text(path, schema_file.text(found, head(file.config.name, statistics, command)))
    told = [f"{path}: {len(found.feature)} columns of {statistics.num_examples:,} rows; review it before you trust it"]
    if not wanted:
        told.append(f"{file.path} names no schema yet: add the line `schema: {path.name}`")
    return told


def diff(file: ConfigFile, home: Path) -> tuple[list[str], int]:
    """Return where the data differ from the curated schema, in words, and the exit code.

    Raises:
        ConfigError: the config names no schema.
        DataError: the data cannot be read.
    """
    found = _findings(file, home)
    if not found.words:
        return [f"{found.path}: {found.statistics.num_examples:,} rows fit it"], DONE
    lines = [f"{name}: {sentence}" for name, told in found.words.items() for sentence in told]
    lines.append(
        f"`slipway schema accept {shlex.quote(str(file.path))} [COLUMN]...` writes this into {found.path.name}"
    )
    return lines, DATA_REFUSED


def accept(file: ConfigFile, home: Path, columns: Sequence[str] = ()) -> list[str]:
    """Write what is different in the data into the curated schema, and return what was written.

    Args:
        file: the config.
        home: for the log.
        columns: of these only; none means all.

    Raises:
        ConfigError: the config names no schema.
        DataError: the data cannot be read.
        SetupError: a column does not differ, or the file cannot be written.
    """
    found = _findings(file, home)
    for column in columns:
        try:
            names.require(column, found.words, what="column that differs")
        except ValueError as error:
            raise SetupError(f"slipway schema accept: {error}") from error
    if not found.words:
        return [f"{found.path}: {found.statistics.num_examples:,} rows fit it, nothing to accept"]
    chosen = list(dict.fromkeys(columns or found.words))
    with _at_work(home):
        changed = accepted(found, chosen, file.config.label.name)
    schema_file.write_text(found.path, schema_file.text(changed, schema_file.head(found.path)))
    lines = [f"{name}: {sentence}" for name in chosen for sentence in found.words[name]]
    left = [name for name in found.words if name not in chosen]
    return [*lines, f"written into {found.path}" + (f"; still different: {', '.join(left)}" if left else "")]


def accepted(found: Findings, columns: Sequence[str], label: str) -> schema_pb2.Schema:
    """Return the schema with some columns as the data have them, all others and their order as they were."""
    import tensorflow_data_validation as tfdv

    updated = tfdv.update_schema(found.schema, schema_statistics.as_list(found.statistics))
    inferred = schema_infer.schema(found.statistics, label)
    data, reasons = schema_statistics.by_column(found.statistics), _reasons(found.anomalies)
    changed = schema_pb2.Schema()
    changed.CopyFrom(found.schema)
    places = {feature.name: i for i, feature in enumerate(changed.feature)}
    for name in columns:
        # TFDV gives up a column whose type is another; here the new one is what the user accepts.
        source = inferred if reasons[name] & {"SCHEMA_NEW_COLUMN", "UNEXPECTED_DATA_TYPE"} else updated
        feature = next(feature for feature in source.feature if feature.name == name)
        if "FEATURE_TYPE_LOW_FRACTION_PRESENT" in reasons[name] and source is updated:
            schema_infer.set_presence(feature, data[name])
        (changed.feature[places[name]] if name in places else changed.feature.add()).CopyFrom(feature)
        _replace_domain(changed, source, feature.domain)
    return changed


def head(name: str, statistics: statistics_pb2.DatasetFeatureStatistics, command: str) -> str:
    """Return the comment at the beginning of a schema file."""
    return (
        f"# What a row of {name} must look like; data that do not fit are refused. Inferred from\n"
        f"# {statistics.num_examples:,} rows by `{command}`: review it.\n"
        "# presence.min_fraction is the share of rows that must have a value, 1 - min_domain_mass the share that may\n"
        "# have a value which is not listed. Add int_domain and float_domain where you know the range.\n"
    )


def _findings(file: ConfigFile, home: Path) -> Findings:
    """Compare the data of a config with its schema."""
    if file.schema_path is None:
        command = shlex.join(["slipway", "schema", "infer", str(file.path)])
        raise ConfigError(f"{file.path}: schema: is missing, got no value; `{command}` writes one")
    schema = curated_schema(file.schema_path)
    with _at_work(home):
        import tensorflow_data_validation as tfdv

        statistics = schema_statistics.of_batches(raw_rows.of_config(file).batches())
        anomalies = tfdv.validate_statistics(schema_statistics.as_list(statistics), schema)
    words = schema_words.sentences(schema, statistics, anomalies)
    return Findings(file.path.parent / str(file.config.schema_file), schema, statistics, anomalies, words)


def _reasons(anomalies: anomalies_pb2.Anomalies) -> dict[str, set[str]]:
    kind = anomalies_pb2.AnomalyInfo.Type
    return {
        info.path.step[0]: {kind.Name(reason.type) for reason in info.reason}
        for info in anomalies.anomaly_info.values()
    }


def _replace_domain(changed: schema_pb2.Schema, source: schema_pb2.Schema, name: str) -> None:
    """Give a schema the list of values that another one has under a name, in place."""
    wanted = [domain for domain in source.string_domain if domain.name == name]
    for domain in wanted:
        places = [i for i, known in enumerate(changed.string_domain) if known.name == name]
        (changed.string_domain[places[0]] if places else changed.string_domain.add()).CopyFrom(domain)


@contextmanager
def _at_work(home: Path) -> Iterator[None]:
    """Keep the noise of TensorFlow and TFDV in a log."""
    with logged_to(home / "schema.log") as screen, screen.working_on("looking at the data"):
        yield
