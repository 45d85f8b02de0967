"""What an ExampleGen node reads: files by input split, of one span or of several.

TFX reads one glob per input split, and one span of it. Here an input split may have several globs, one a line: that is
how several spans, and files of several names, become one artifact. Which spans those are was found before (the hub
looks, so that a missing one is told before anything runs); the driver puts them and a fingerprint of the files on the
artifact, where TFX's own driver has them.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf import json_format, struct_pb2
from tfx.components.example_gen import driver
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.components.example_gen.utils import (
    FINGERPRINT_PROPERTY_NAME,
    SPAN_PROPERTY_NAME,
    VERSION_PROPERTY_NAME,
)
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs
from tfx.utils import io_utils, proto_utils

FIRST_SPAN_PROPERTY_NAME = "first_span"
BETWEEN = "\n"


class Driver(driver.FileBasedDriver):
    """TFX's driver for splits of several globs, whose spans are known."""

    def resolve_exec_properties(self, exec_properties: dict[str, Any], pipeline_info: Any, component_info: Any) -> Any:
        """Add the span (the last of several), its version, and a fingerprint of all files."""
        found = options(exec_properties)
        exec_properties[FINGERPRINT_PROPERTY_NAME] = BETWEEN.join(
            io_utils.generate_fingerprint(name, pattern)
            for name, patterns in _patterns(exec_properties).items()
            for pattern in patterns
        )
        _, last = found.get("spans", (0, 0))
        exec_properties[SPAN_PROPERTY_NAME] = int(last)
        exec_properties[VERSION_PROPERTY_NAME] = int(found["version"]) if "version" in found else None
        return exec_properties

    def run(self, execution_info: Any) -> Any:
        """Put the first of several spans on the artifact too."""
        result = super().run(execution_info)
        first, last = options(execution_info.exec_properties).get("spans", (0, 0))
        if first != last:
            for artifact in result.output_artifacts[standard_component_specs.EXAMPLES_KEY].artifacts:
                artifact.custom_properties[FIRST_SPAN_PROPERTY_NAME].int_value = int(first)
        return result


class FilesExampleGen(FileBasedExampleGen):
    """TFX's ExampleGen of files, with our driver."""

    DRIVER_CLASS = Driver


def node(
    inputs: Mapping[str, Sequence[str]],
    output_config: example_gen_pb2.Output,
    custom_config: Mapping[str, Any],
    executor: type,
) -> FilesExampleGen:
    """Return the node that reads files with an executor.

    Args:
        inputs: absolute paths or globs by input split. With several, they are the output splits.
        output_config: the splits to make of a single input split, else none.
        custom_config: JSON for the executor; `spans` (first and last) and `version` go onto the artifact.
        executor: a class at the top of its module.
    """
    packed = example_gen_pb2.CustomConfig()
    packed.custom_config.Pack(json_format.ParseDict(dict(custom_config), struct_pb2.Struct()))
    plain = [re.split(r"[*?\[]", one, maxsplit=1)[0] for patterns in inputs.values() for one in patterns]
    base = os.path.commonpath([os.path.dirname(one) for one in plain])
    splits = [
        example_gen_pb2.Input.Split(name=name, pattern=BETWEEN.join(os.path.relpath(one, base) for one in patterns))
        for name, patterns in inputs.items()
    ]
    return FilesExampleGen(
        input_base=base,
        input_config=example_gen_pb2.Input(splits=splits),
        output_config=output_config,
        custom_config=packed,
        custom_executor_spec=executor_spec.BeamExecutorSpec(executor),
    )


def files(exec_properties: Mapping[str, Any], matching_files: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """Return the files of a node by input split; a file that two of its globs name is read once."""
    found = {
        name: [path for pattern in patterns for path in matching_files(pattern)]
        for name, patterns in _patterns(exec_properties).items()
    }
    return {name: list(dict.fromkeys(paths)) for name, paths in found.items()}


def ratio(exec_properties: Mapping[str, Any]) -> dict[str, int]:
    """Return the buckets of the splits to make, by name; none where the input is split already."""
    output = example_gen_pb2.Output()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.OUTPUT_CONFIG_KEY], output)
    return {split.name: split.hash_buckets for split in output.split_config.splits}


def options(exec_properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON that a node was made with; all numbers are floats."""
    packed, content = example_gen_pb2.CustomConfig(), struct_pb2.Struct()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY], packed)
    packed.custom_config.Unpack(content)
    return json_format.MessageToDict(content)


def _patterns(exec_properties: Mapping[str, Any]) -> dict[str, list[str]]:
    reading = example_gen_pb2.Input()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.INPUT_CONFIG_KEY], reading)
    base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
    return {
        split.name: [os.path.join(base, pattern) for pattern in split.pattern.split(BETWEEN)]
        for split in reading.splits
    }
