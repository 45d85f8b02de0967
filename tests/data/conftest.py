"""Files to read, and the executor that reads them as the pipeline does."""

from collections.abc import Callable
from pathlib import Path

import pytest

SPLITS = {"train": 2, "eval": 1}


@pytest.fixture
def write(tmp_path) -> Callable[..., str]:
    """Return a function that writes a file and gives its path."""

    def written(content: str | bytes, name: str = "rows.csv") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return written


@pytest.fixture
def run(tmp_path):
    """Return a function from a loader and a glob to the artifact that an ExampleGen executor writes."""
    from google.protobuf import json_format, struct_pb2
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.proto import example_gen_pb2
    from tfx.types import standard_artifacts

    from data.loaders import _example_gen
    from pipeline.build import BEAM_ARGS

    def artifact(pattern, loader="csv", executor=_example_gen.Executor, **options):
        examples = standard_artifacts.Examples()
        examples.uri = str(tmp_path / executor.__module__ / str(len(list(tmp_path.glob("*/*")))))
        splits = [example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=count) for name, count in SPLITS.items()]
        output = example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=splits))
        split = example_gen_pb2.Input.Split(name="rows", pattern=Path(pattern).name)
        custom = example_gen_pb2.CustomConfig()
        content = {"loader": f"data.loaders.{loader}", **options}
        custom.custom_config.Pack(json_format.ParseDict(content, struct_pb2.Struct()))
        properties = {
            "input_base": str(Path(pattern).parent),
            "input_config": json_format.MessageToJson(example_gen_pb2.Input(splits=[split])),
            "output_config": json_format.MessageToJson(output),
            "custom_config": json_format.MessageToJson(custom),
            "output_data_format": example_gen_pb2.FORMAT_TF_EXAMPLE,
            "output_file_format": example_gen_pb2.FORMAT_TFRECORDS_GZIP,
        }
        executor(BaseBeamExecutor.Context(beam_pipeline_args=BEAM_ARGS)).Do({}, {"examples": [examples]}, properties)
        assert examples.split_names == '["train", "eval"]'
        return examples

    return artifact


@pytest.fixture
def read(run):
    """Return a function from a loader and a glob to serialized examples by split."""
    import tensorflow as tf

    def examples(*args, **options):
        folder = Path(run(*args, **options).uri)
        files = {name: sorted(map(str, folder.glob(f"Split-{name}/*"))) for name in SPLITS}
        return {name: list(tf.data.TFRecordDataset(f, "GZIP").as_numpy_iterator()) for name, f in files.items()}

    return examples
