"""One ExampleGen for all formats of files: columns become tf.Examples in native code, the same ones in every run.

TFX's own executors spend about 80 µs a row in Python objects and Beam elements, and shuffle the rows by random keys;
here a block of rows becomes serialized tf.Examples in one native call, and is written where it was read.
"""

import bisect
import hashlib
import importlib
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
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
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from data.loaders import _features

# At most so many shards per split, however many files there are: pictures come one a file.
SHARDS = 16
# Of the files that are refused, at most so many are named.
NAMED = 10


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """Writes the rows of files as tf.Examples. The loader of their format is named in custom_config."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Read, split and write; the base class sets the properties of the artifact."""
        self._examples = output_dict[standard_component_specs.EXAMPLES_KEY]
        super().Do(input_dict, output_dict, exec_properties)

    def GenerateExamplesByBeam(self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """Write at most `SHARDS` shards per split; nothing is left for the base class to write."""
        writing = example_gen_pb2.Output()
        proto_utils.json_to_proto(exec_properties[standard_component_specs.OUTPUT_CONFIG_KEY], writing)
        options = _options(exec_properties)
        loader = importlib.import_module(options["loader"])
        # Before Beam starts, so that a broken file ends the run with its own message and not with a worker's.
        paths = _paths(loader, exec_properties)
        if hasattr(loader, "unusable"):
            options["skipped"] = self._skip(loader.unusable(paths, options), options)
        types = loader.column_types(paths, options)
        splits = {
            artifact_utils.get_split_uri(self._examples, split.name): split.hash_buckets
            for split in writing.split_config.splits
        }
        count = min(SHARDS, len(paths))
        shards = [
            ([str(path) for path in part], f"data_tfrecord-{i:05d}-of-{count:05d}.gz")
            for i, part in enumerate(np.array_split(paths, count))
        ]
        _ = pipeline | beam.Create(shards) | beam.Reshuffle() | beam.Map(_write_shard, types, options, splits)
        return {}

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:  # noqa: N802
        """Not used: rows do not travel through Beam one by one."""
        raise NotImplementedError("rows are written where they are read, see GenerateExamplesByBeam")

    def _skip(self, unusable: Mapping[str, str], options: Mapping[str, Any]) -> list[str]:
        """Return the files to leave out, and count them in the artifact.

        Raises:
            ValueError: there are some, and the options do not allow to skip them; one line each.
        """
        lines = [f"{path}: {reason}" for path, reason in unusable.items()]
        if lines and not options.get("skip_bad"):
            more = [f"and {len(lines) - NAMED} more"] if len(lines) > NAMED else []
            raise ValueError("\n".join([*lines[:NAMED], *more]))
        for line in lines:
            logging.warning("skipped: %s", line)
        for examples in self._examples:
            examples.set_int_custom_property("skipped", len(lines))
        return list(unusable)


class HashSplitter:
    """Sends a row to a split by the hash of its example, as TFX does: the same row for ever to the same split.

    Args:
        buckets: hash buckets by split.
    """

    def __init__(self, buckets: Sequence[int]) -> None:
        self._ends = list(accumulate(buckets))

    def of(self, _: pa.RecordBatch, examples: Sequence[bytes]) -> np.ndarray:
        """Return the numbers of the splits, int [n].

        Args:
            _: the n rows as columns.
            examples: the n rows, serialized.
        """
        return np.array([bisect.bisect(self._ends, self._bucket(example)) for example in examples], int)

    def _bucket(self, example: bytes) -> int:
        return int.from_bytes(hashlib.sha256(example).digest(), "big") % self._ends[-1]


def _options(exec_properties: Mapping[str, Any]) -> dict[str, Any]:
    packed, options = example_gen_pb2.CustomConfig(), struct_pb2.Struct()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY], packed)
    packed.custom_config.Unpack(options)
    return json_format.MessageToDict(options)


def _paths(loader: Any, exec_properties: Mapping[str, Any]) -> list[str]:
    """Return the files that the patterns of the input name."""
    reading, base = example_gen_pb2.Input(), exec_properties[standard_component_specs.INPUT_BASE_KEY]
    proto_utils.json_to_proto(exec_properties[standard_component_specs.INPUT_CONFIG_KEY], reading)
    return [path for split in reading.splits for path in loader.matching_files(os.path.join(base, split.pattern))]


def _write_shard(
    files: tuple[list[str], str], types: Mapping[str, pa.DataType], options: Mapping[str, Any], splits: dict[str, int]
) -> None:
    """Write the rows of some files, in their order, into one gzipped TFRecord shard per split folder.

    Args:
        files: the paths to read, and the name of the shards to write.
        types: of every column.
        options: of the loader.
        splits: hash buckets by the folder of the split.
    """
    paths, shard = files
    splitter = HashSplitter(list(splits.values()))
    packing = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
    for folder in splits:
        tf.io.gfile.makedirs(folder)
    writers = [tf.io.TFRecordWriter(os.path.join(folder, shard), packing) for folder in splits]
    for batch in _batches(paths, types, options):
        examples = _encoded(batch)
        for number, example in zip(splitter.of(batch, examples), examples, strict=True):
            writers[number].write(example)
    for writer in writers:
        writer.close()


def _batches(
    paths: Sequence[str], types: Mapping[str, pa.DataType], options: Mapping[str, Any]
) -> Iterator[pa.RecordBatch]:
    loader = importlib.import_module(options["loader"])
    for path in paths:
        yield from loader.record_batches(path, types, options)


def _encoded(batch: pa.RecordBatch) -> list[bytes]:
    """Return rows as serialized tf.Examples.

    The encoder orders the feature map at random; splits hash these bytes and must not move with it.
    """
    encoded = RecordBatchToExamplesEncoder().encode(_features.as_features(batch))
    return [tf.train.Example.FromString(one).SerializeToString(deterministic=True) for one in encoded]


def example_gen(
    loader: str, pattern: str, output_config: example_gen_pb2.Output, options: Mapping[str, Any]
) -> FileBasedExampleGen:
    """Return the node that reads the files a glob names; see `_files.load_with`.

    Args:
        loader: its dotted name.
        pattern: absolute path or glob.
        output_config: the splits to make.
        options: of the loader, JSON.
    """
    packed = example_gen_pb2.CustomConfig()
    packed.custom_config.Pack(json_format.ParseDict({**options, "loader": loader}, struct_pb2.Struct()))
    folder = os.path.dirname(re.split(r"[*?\[]", pattern, maxsplit=1)[0])
    split = example_gen_pb2.Input.Split(name="rows", pattern=os.path.relpath(pattern, folder))
    return FileBasedExampleGen(
        input_base=folder,
        input_config=example_gen_pb2.Input(splits=[split]),
        output_config=output_config,
        custom_config=packed,
        custom_executor_spec=executor_spec.BeamExecutorSpec(Executor),
    )
