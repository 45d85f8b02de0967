"""What is recorded of a step when it begins to execute, and when it is over."""

from collections.abc import Mapping, Sequence
from typing import Any

from tfx.orchestration.portable import data_types

from pipeline import findings
from pipeline.config import Config
from pipeline.node import Outcome
from pipeline.runs import StepRecord


def begin(record: StepRecord, info: data_types.ExecutionInfo) -> None:
    """Add to the record of a step where its outputs will be, and where a search keeps its trials until it is over."""
    record.outputs = _uris(info.output_dict)
    if "tuner_results" in record.outputs:
        from components import _tuner_folder

        record.details = {"search": _tuner_folder.of_search(info.input_dict, info.output_dict, info.exec_properties)}


def finished(name: str, config: Config, outcome: Outcome) -> StepRecord:
    """Return the record of a step that is over."""
    found = findings.of(name, config, outcome.outputs)
    uris = _uris(outcome.outputs)
    return StepRecord(name, outcome.state, 0.0, found.figure, found.lines, found.exit_code, found.details, uris)


def _uris(outputs: Mapping[str, Sequence[Any]]) -> dict[str, list[str]]:
    return {key: [artifact.uri for artifact in artifacts] for key, artifacts in outputs.items()}
