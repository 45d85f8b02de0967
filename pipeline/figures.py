"""The key figure of each step: what a person wants to know of its output, in a few words."""

import json
import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from pipeline import trials
from pipeline.node import Outputs


def figure(step: str, outputs: Outputs) -> str:
    """Return the key figure of a finished step, or "" for a step that has none."""
    return FIGURES[step](outputs) if step in FIGURES else ""


def _uri(outputs: Outputs, key: str) -> str:
    return artifact_utils.get_single_uri(outputs[key])


def _json(outputs: Outputs, key: str, name: str, default: Any = None) -> Any:
    """Return the content of a file of an artifact; one with a default need not be there."""
    try:
        return json.loads(io_utils.read_string_file(os.path.join(_uri(outputs, key), name)))
    except FileNotFoundError:
        if default is None:
            raise
        return default


def _megabytes(uri: str) -> float:
    """Return the size of all files of an artifact."""
    files = (os.path.join(folder, name) for folder, _, names in tf.io.gfile.walk(uri) for name in names)
    return sum(tf.io.gfile.stat(file).length for file in files) / 1e6


def _examples(outputs: Outputs) -> str:
    examples = artifact_utils.get_single_instance(outputs["examples"])
    skipped = examples.get_int_custom_property("skipped")
    bad = f", {skipped:,} bad files skipped" if skipped else ""
    return f"{_megabytes(examples.uri):.1f} MB of examples{_spans(examples)}{bad}"


def _spans(examples: Any) -> str:
    """Return ` of span 3` or ` of spans 1 to 3`, or "" where the data have none."""
    first, last, version = (examples.get_int_custom_property(name) for name in ("first_span", "span", "version"))
    several = examples.has_custom_property("first_span")
    text = f" of spans {first} to {last}" if several else f" of span {last}" if last else ""
    return f"{text}, version {version}" if text and version else text


def _schema(outputs: Outputs) -> str:
    schema = io_utils.parse_pbtxt_file(os.path.join(_uri(outputs, "schema"), "schema.pbtxt"), schema_pb2.Schema())
    return f"{len(schema.feature)} columns"


def trial_report(outputs: Outputs) -> dict[str, Any]:
    """Return the report of what the Tuner tried."""
    return _json(outputs, "tuner_results", "trials.json")


def step_times(outputs: Outputs) -> list[dict[str, float]]:
    """Return the seconds of every epoch that the Trainer noted, see `models/_step_time.py`; none of another hook."""
    return _json(outputs, "model_run", "step_times.json", default=[])


def warm_starts(outputs: Outputs) -> dict[str, dict[str, Any]]:
    """Return what the Trainer noted of the weights it began with, see `models/_warm_start.py`, by network."""
    found = {
        name: _json(outputs, "model_run", os.path.join(name, "warm_start.json"), default={}) for name in ("", "student")
    }
    return {name: content for name, content in found.items() if content}


def _model(outputs: Outputs) -> str:
    # Not the weights beside it, which nobody serves.
    return f"{_megabytes(path_utils.serving_model_dir(_uri(outputs, 'model'))):.1f} MB model"


def _doors(outputs: Outputs) -> str:
    report = _json(outputs, "blessing", "doors.json")
    if "skipped" in report:
        return f"not compared: {report['skipped']}"
    return f"{report['doors']} doors, {report['rows']} rows, largest difference {report['worst']:.2g}"


def _baseline(outputs: Outputs) -> str:
    models = outputs.get("model", [])
    return f"model {models[0].id}" if models else "none"


def mobile_report(outputs: Outputs) -> dict[str, Any]:
    """Return the report of what TfLite made, or what MobilePusher was given."""
    return _json(outputs, "mobile_model", "report.json")


def _mobile(outputs: Outputs) -> str:
    variants = mobile_report(outputs)["variants"]
    sizes = [f"{name} {one['bytes'] / 1000:.0f} kB" for name, one in variants.items() if "bytes" in one]
    return ", ".join(sizes) or "no variant could be converted"


def _pushed_mobile(outputs: Outputs) -> str:
    pushed = artifact_utils.get_single_instance(outputs["pushed_mobile"])
    version = pushed.get_string_custom_property("pushed_version")
    return f"version {version}" if version else "not pushed"


def _pushed(outputs: Outputs) -> str:
    pushed = artifact_utils.get_single_instance(outputs["pushed_model"])
    version = pushed.get_string_custom_property("pushed_version")
    return f"version {version}" if version else "not pushed"


FIGURES: dict[str, Callable[[Outputs], str]] = {
    "ExampleGen": _examples,
    "SchemaGen": _schema,
    "ImportSchemaGen": _schema,
    "DataGate": lambda _: "no anomalies",
    "Tuner": lambda outputs: trials.summary(trial_report(outputs)),
    "Trainer": _model,
    "Doors": _doors,
    "Baseline": _baseline,
    "WarmStart": _baseline,
    "TfLite": _mobile,
    "Pusher": _pushed,
    "MobilePusher": _pushed_mobile,
}
