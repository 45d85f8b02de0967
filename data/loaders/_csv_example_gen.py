"""CsvExampleGen with pyarrow in place of a Python loop: the same examples and splits, many times faster.

TFX's own executor spends about 80 µs a row in Python objects; here a block of rows becomes serialized tf.Examples in
one native call.
"""

import os
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from google.protobuf import json_format, struct_pb2
from tfx.components.example_gen import base_example_gen_executor
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from data.loaders import csv


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """Writes the rows of CSV files as tf.Examples, split by TFX's hash of the serialized example."""

    def GetInputSourceToExamplePTransform(self) -> Any:  # noqa: N802, TFX's name
        """Return the transform from a file pattern to serialized examples."""
        return _CsvToExamples


@beam.typehints.with_input_types(beam.Pipeline)
@beam.typehints.with_output_types(bytes)
class _CsvToExamples(beam.PTransform):
    def __init__(self, exec_properties: dict[str, Any], split_pattern: str) -> None:
        packed = example_gen_pb2.CustomConfig()
        proto_utils.json_to_proto(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY], packed)
        options = struct_pb2.Struct()
        packed.custom_config.Unpack(options)
        self._float_columns = list(options.get_or_create_list("float_columns"))
        self._pattern = os.path.join(exec_properties[standard_component_specs.INPUT_BASE_KEY], split_pattern)

    def expand(self, pipeline: Any) -> Any:
        paths = csv.matching_files(self._pattern)
        # Before Beam starts, so that a broken file ends the run with its own message and not with a worker's.
        types = csv.column_types(paths, self._float_columns)
        return pipeline | beam.Create(paths) | beam.ParDo(_encode_file, types)


def _encode_file(path: str, types: dict[str, pa.DataType]) -> Iterator[bytes]:
    encoder = RecordBatchToExamplesEncoder()
    for batch in csv.record_batches(path, types):
        columns = [_as_lists(column) for column in batch.columns]
        for example in encoder.encode(pa.RecordBatch.from_arrays(columns, batch.schema.names)):
            # The encoder orders the feature map at random; the split hashes these bytes and must not move with it.
            yield tf.train.Example.FromString(example).SerializeToString(deterministic=True)


def _as_lists(column: pa.Array) -> pa.Array:
    """Return a column of n cells as n lists of one value, null where the cell is empty: a tf.Example's features.

    An empty cell leaves the feature out, so that the schema's presence counts it as missing. TFX's own CsvExampleGen
    writes a feature without values, which TFDV takes for present: no share of empty cells is ever too large for it.
    """
    if pa.types.is_float64(column.type):
        column = column.cast(pa.float32())
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(valid)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32(), mask=np.append(~valid, False)), column.drop_null())


def csv_example_gen(
    pattern: str, output_config: example_gen_pb2.Output, options: dict[str, Any]
) -> FileBasedExampleGen:
    """Return the node that reads the CSV files a glob names; see `csv.load`."""
    packed = example_gen_pb2.CustomConfig()
    packed.custom_config.Pack(json_format.ParseDict(options, struct_pb2.Struct()))
    folder, name = os.path.split(pattern)
    return FileBasedExampleGen(
        input_base=folder,
        input_config=example_gen_pb2.Input(splits=[example_gen_pb2.Input.Split(name="rows", pattern=name)]),
        output_config=output_config,
        custom_config=packed,
        custom_executor_spec=executor_spec.BeamExecutorSpec(Executor),
    )
