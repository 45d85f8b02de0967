"""The ExampleGen of pictures: one file is one tf.Example, split by TFX's hash of its bytes."""

import bisect
import hashlib
import os
from itertools import accumulate
from typing import Any

import apache_beam as beam
import tensorflow as tf
from google.protobuf import json_format, struct_pb2
from tfx.components.example_gen import base_example_gen_executor
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from data.loaders import images


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """Writes pictures as tf.Examples."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Read, split and write; the base class sets the properties of the artifact."""
        self._examples = output_dict[standard_component_specs.EXAMPLES_KEY]
        super().Do(input_dict, output_dict, exec_properties)

    def GenerateExamplesByBeam(self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """Write one shard per split; nothing is left for the base class to write."""
        reading, writing = example_gen_pb2.Input(), example_gen_pb2.Output()
        proto_utils.json_to_proto(exec_properties[standard_component_specs.INPUT_CONFIG_KEY], reading)
        proto_utils.json_to_proto(exec_properties[standard_component_specs.OUTPUT_CONFIG_KEY], writing)
        base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
        paths = images.matching_files(os.path.join(base, reading.splits[0].pattern))
        _write(paths, {
            artifact_utils.get_split_uri(self._examples, split.name): split.hash_buckets
            for split in writing.split_config.splits
        })  # fmt: skip
        _ = pipeline | beam.Create([len(paths)])
        return {}

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:  # noqa: N802
        """Not used: pictures do not travel through Beam one by one."""
        raise NotImplementedError("pictures are written where they are read, see GenerateExamplesByBeam")


def _write(paths: list[str], splits: dict[str, int]) -> None:
    ends = list(accumulate(splits.values()))
    options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
    for folder in splits:
        tf.io.gfile.makedirs(folder)
    writers = [
        tf.io.TFRecordWriter(os.path.join(folder, "data_tfrecord-00000-of-00001.gz"), options) for folder in splits
    ]
    for path in paths:
        example = tf.train.Example()
        for name, value in images.row(path).items():
            example.features.feature[name].bytes_list.value.append(value)
        encoded = example.SerializeToString(deterministic=True)
        bucket = int.from_bytes(hashlib.sha256(encoded).digest(), "big") % ends[-1]
        writers[bisect.bisect(ends, bucket)].write(encoded)
    for writer in writers:
        writer.close()


def images_example_gen(
    pattern: str, output_config: example_gen_pb2.Output, options: dict[str, Any]
) -> FileBasedExampleGen:
    """Return the node that reads the pictures a glob names; see `images.load`."""
    packed = example_gen_pb2.CustomConfig()
    packed.custom_config.Pack(json_format.ParseDict(options, struct_pb2.Struct()))
    base = pattern[: pattern.index("*")].rstrip("/") if "*" in pattern else os.path.dirname(pattern)
    split = example_gen_pb2.Input.Split(name="rows", pattern=os.path.relpath(pattern, base))
    return FileBasedExampleGen(
        input_base=base,
        input_config=example_gen_pb2.Input(splits=[split]),
        output_config=output_config,
        custom_config=packed,
        custom_executor_spec=executor_spec.BeamExecutorSpec(Executor),
    )
