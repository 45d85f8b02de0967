"""One ExampleGen for all formats of files: columns become tf.Examples in native code, the same ones in every run.

TFX's own executors spend about 80 µs a row in Python objects and Beam elements, and shuffle the rows by random keys;
here a block of rows becomes serialized tf.Examples in one native call, and is written where it was read.
"""

import importlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from tfx.components.example_gen import base_example_gen_executor
from tfx.types import artifact_utils, standard_component_specs
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from data.loaders import _features, _guards, _inputs, _rename, _splits

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
        _refuse_empty(self._split_folders(), exec_properties)

    def GenerateExamplesByBeam(self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """Write at most `SHARDS` shards per input and split; nothing is left for the base class to write."""
        options = _inputs.options(exec_properties)
        loader = importlib.import_module(options["loader"])
        inputs = _inputs.files(exec_properties, loader.matching_files)
        paths = [path for files in inputs.values() for path in files]
        # Before Beam starts, so that a broken file ends the run with its own message and not with a worker's.
        if hasattr(loader, "unusable"):
            options["skipped"] = self._skip(loader.unusable(paths, options), options)
        types = loader.column_types(paths, options)
        rows = {name: partial(_batches, files, types, options) for name, files in inputs.items()}
        splitters = _splits.prepared(rows, _inputs.ratio(exec_properties), options.get("split", {}), _encoded)
        shards = [(part, splitters[name]) for name, files in inputs.items() for part in _parts(files)]
        names = [f"data_tfrecord-{number:05d}-of-{len(shards):05d}.gz" for number in range(len(shards))]
        named = [(name, *shard) for name, shard in zip(names, shards, strict=True)]
        folders = list(self._split_folders().values())
        _ = pipeline | beam.Create(named) | beam.Reshuffle() | beam.Map(_write_shard, types, options, folders)
        return {}

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:  # noqa: N802
        """Not used: rows do not travel through Beam one by one."""
        raise NotImplementedError("rows are written where they are read, see GenerateExamplesByBeam")

    def _split_folders(self) -> dict[str, str]:
        """Return the folder of each split, in the order of the splits' numbers."""
        names = artifact_utils.decode_split_names(artifact_utils.get_single_instance(self._examples).split_names)
        return {name: artifact_utils.get_split_uri(self._examples, name) for name in names}

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


def _parts(files: Sequence[str]) -> list[list[str]]:
    """Return files in at most `SHARDS` parts."""
    return [part.tolist() for part in np.array_split(np.array(files, object), min(SHARDS, len(files)))]


def _refuse_empty(folders: Mapping[str, str], exec_properties: Mapping[str, Any]) -> None:
    """Raise when a split that was written has no row; rows are counted only where one has none."""
    written = {
        name: tf.data.TFRecordDataset(tf.io.gfile.glob(os.path.join(folder, "*")), "GZIP")
        for name, folder in folders.items()
    }
    if any(next(iter(rows), None) is None for rows in written.values()):
        counts = {name: sum(1 for _ in rows) for name, rows in written.items()}
        way = _inputs.options(exec_properties).get("split", {})
        _guards.refuse_empty(counts, _inputs.ratio(exec_properties), way.get("by", "hash"))


def _write_shard(
    shard: tuple[str, list[str], _splits.Splitter],
    types: Mapping[str, pa.DataType],
    options: Mapping[str, Any],
    folders: Sequence[str],
) -> None:
    """Write the rows of some files, in their order, into one gzipped TFRecord shard per split folder.

    Args:
        shard: the name of the files to write, the paths to read, and what splits their rows.
        types: of every column.
        options: of the loader.
        folders: of the splits, in the order of their numbers.
    """
    name, paths, splitter = shard
    packing = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
    for folder in folders:
        tf.io.gfile.makedirs(folder)
    writers = [tf.io.TFRecordWriter(os.path.join(folder, name), packing) for folder in folders]
    for batch in _batches(paths, types, options):
        examples = _encoded(batch)
        for number, example in zip(splitter.of(batch, examples).tolist(), examples, strict=True):
            writers[number].write(example)
    for writer in writers:
        writer.close()


def _batches(
    paths: Sequence[str], types: Mapping[str, pa.DataType], options: Mapping[str, Any]
) -> Iterator[pa.RecordBatch]:
    loader = importlib.import_module(options["loader"])
    for path in paths:
        for batch in loader.record_batches(path, types, options):
            yield _rename.renamed(batch, options.get("rename", {}))


def _encoded(batch: pa.RecordBatch) -> list[bytes]:
    """Return rows as serialized tf.Examples.

    The encoder orders the feature map at random; splits hash these bytes and must not move with it.
    """
    encoded = RecordBatchToExamplesEncoder().encode(_features.as_features(batch))
    return [tf.train.Example.FromString(one).SerializeToString(deterministic=True) for one in encoded]
