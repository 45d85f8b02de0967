"""Files to read, and the executor that reads them as the pipeline does."""

import json
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
    """Return a function from a glob, or globs by split, to the artifact that an ExampleGen executor writes."""
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.proto import example_gen_pb2
    from tfx.types import standard_artifacts

    from data.loaders import _example_gen, _inputs
    from pipeline import beam_args
    from pipeline.beam_config import Beam

    arguments = beam_args.of(Beam().engine(""))

    def artifact(pattern, loader="csv", executor=_example_gen.Executor, ratio=None, **options):
        inputs = pattern if isinstance(pattern, dict) else {"rows": [pattern]}
        ratio = (ratio or SPLITS) if len(inputs) == 1 else {}
        examples = standard_artifacts.Examples()
        examples.uri = str(tmp_path / executor.__module__ / str(len(list(tmp_path.glob("*/*")))))
        splits = [example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=count) for name, count in ratio.items()]
        output = example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=splits) if splits else None)
        content = {"loader": f"data.loaders.{loader}", **options}
        properties = _inputs.node(inputs, output, content, executor).exec_properties
        executor(BaseBeamExecutor.Context(beam_pipeline_args=arguments)).Do({}, {"examples": [examples]}, properties)
        assert json.loads(examples.split_names) == list(ratio or inputs)
        return examples

    return artifact


@pytest.fixture
def read(run):
    """Return a function from what `run` takes to serialized examples by split."""
    import tensorflow as tf

    def examples(*args, **options):
        artifact = run(*args, **options)
        folders = {name: Path(artifact.uri, f"Split-{name}") for name in json.loads(artifact.split_names)}
        files = {name: sorted(map(str, folder.iterdir())) for name, folder in folders.items()}
        return {name: list(tf.data.TFRecordDataset(f, "GZIP").as_numpy_iterator()) for name, f in files.items()}

    return examples
