"""A small table with missing values in every column type, and real models of every task trained on it."""

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TRAIN_ROWS, EVAL_ROWS = 600, 200
LABELS = {
    "binary": {"name": "bought", "task": "binary"},
    "named binary": {"name": "answer", "task": "binary", "classes": ["no", "yes"]},
    "multiclass": {"name": "kind", "task": "multiclass", "classes": ["small", "medium", "large"]},
    "learned multiclass": {"name": "stars", "task": "multiclass"},
    "regression": {"name": "price", "task": "regression"},
}
ALL_LABELS = sorted(str(label["name"]) for label in LABELS.values())
# What SchemaGen infers: a feature that every row has gets a shape.
ALWAYS = "shape { dim { size: 1 } } presence { min_fraction: 1 }"
AT_TIMES = "value_count { min: 0 max: 1 } presence { min_fraction: 0 }"
SCHEMA = f"""
feature {{ name: "size" type: FLOAT {AT_TIMES} }}
feature {{ name: "city" type: BYTES {AT_TIMES} }}
feature {{ name: "visits" type: INT {AT_TIMES} }}
feature {{ name: "weight" type: FLOAT {ALWAYS} }}
feature {{ name: "bought" type: INT {ALWAYS} }}
feature {{ name: "answer" type: BYTES {ALWAYS} }}
feature {{ name: "kind" type: BYTES {ALWAYS} }}
feature {{ name: "stars" type: INT {ALWAYS} }}
feature {{ name: "price" type: FLOAT {ALWAYS} }}
"""
Row = dict[str, Any]
# Groups of tests, see below, by the time they take; the others take less.
LONGEST = (
    "pushed",
    "serving",
    "pipeline",
    "components",
    "models",
    "test_kill",
    "test_heads",
    "test_init",
    "test_splits",
)


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in this hook, too
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares costly fixtures in one process of `make test`; the longest first, so that both end together.

    What shares costs: a folder, or of the whole runs those in one home, else a file.
    """
    tests = Path(__file__).parent

    def group(item: pytest.Item) -> str:
        path = item.path.relative_to(tests)
        if path.parts[0] != "end_to_end":
            return path.parts[0]
        return "pushed" if "pushed" in getattr(item, "fixturenames", ()) else path.stem

    items.sort(key=lambda item: LONGEST.index(group(item)) if group(item) in LONGEST else len(LONGEST))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))


@dataclass(frozen=True)
class Table:
    """Rows and where they are as gzipped tf.Examples; a missing value is not in its row.

    Attributes:
        train: the rows of the train split.
        evaluation: those of the eval split.
        folder: an Examples artifact's folder, with `Split-train` and `Split-eval`.
    """

    train: list[Row]
    evaluation: list[Row]
    folder: Path

    @property
    def examples(self) -> list[bytes]:
        """The rows of the eval split, serialized."""
        return [serialized(row) for row in self.evaluation]


@dataclass(frozen=True)
class Head:
    """A model of one task, trained and exported as the pipeline would.

    Attributes:
        config: the pipeline's.
        arguments: what `run_fn` got.
        model: the folder of the SavedModel.
    """

    config: Any
    arguments: Any
    model: Path


def serialized(row: Row) -> bytes:
    """Return a row as a serialized tf.Example."""
    import tensorflow as tf

    example = tf.train.Example()
    for name, value in row.items():
        feature = example.features.feature[name]
        if isinstance(value, str | bytes):
            feature.bytes_list.value.append(value.encode() if isinstance(value, str) else value)
        else:
            (feature.float_list if isinstance(value, float) else feature.int64_list).value.append(value)
    return example.SerializeToString()


def write_examples(splits: Mapping[str, list[Row]], folder: Path) -> None:
    """Write rows by split as an Examples artifact's folder."""
    import tensorflow as tf

    for name, rows in splits.items():
        (folder / f"Split-{name}").mkdir()
        with tf.io.TFRecordWriter(str(folder / f"Split-{name}" / "rows.gz"), "GZIP") as writer:
            for row in rows:
                writer.write(serialized(row))


def _row(random: np.random.Generator) -> Row:
    size, weight = random.normal(50, 20), random.normal(0, 1)
    city, visits = str(random.choice(["Rome", "Oslo", "Lima"])), int(random.integers(0, 6))
    worth = size / 20 + weight + {"Rome": 1.5, "Oslo": 0.0, "Lima": -1.5}[city] + 0.3 * visits
    labels = {
        "bought": int(worth > 4),
        "answer": "yes" if worth > 4 else "no",
        "kind": "large" if worth > 4 else "medium" if worth > 2 else "small",
        "stars": 1 + int(worth > 2) + int(worth > 4),
        "price": float(10_000 + 1_000 * worth),
    }
    features = {"size": float(size), "city": city, "visits": visits}
    kept = {name: value for name, value in features.items() if random.random() > 0.1}
    return {**kept, "weight": float(weight), **labels}


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """The table; its labels follow from the features that are missing in a tenth of the rows."""
    random, folder = np.random.default_rng(1), tmp_path_factory.mktemp("examples")
    splits = {name: [_row(random) for _ in range(rows)] for name, rows in (("train", TRAIN_ROWS), ("eval", EVAL_ROWS))}
    write_examples(splits, folder)
    return Table(splits["train"], splits["eval"], folder)


def pipeline_config(label: Mapping[str, Any], **sections: Any) -> Any:
    """Return a pipeline's config for the table, with one of its labels."""
    from pipeline.config import Config

    content = {
        "name": "heads",
        "data": {"path": "rows.csv"},
        "label": label,
        "features": {
            "exclude": [name for name in ALL_LABELS if name != label["name"]],
            "columns": {"visits": "vocabulary", "size": ["zscore", {"bucketize": {"buckets": 4}}]},
        },
        "model": {"name": "tabular", "hyperparameters": {"learning_rate": 0.01, "dropout": 0.0}},
        "training": {"epochs": 8, "batch_size": 64},
        "evaluation": {"thresholds": [{"metric": "example_count", "min": 1}]},
    }
    return Config.model_validate(content | sections)


def custom_config(config: Any, *sections: str) -> dict[str, Any]:
    """Return what a hook gets of a config: plain JSON."""
    content = json.loads(config.model_dump_json(exclude_none=True, include=set(sections)))
    return content | {"hyperparameters": config.model.hyperparameters, "mobile": False}


def analyze(examples: Path, config: Any, folder: Path, schema: str = SCHEMA) -> None:
    """Run a config's preprocessing over the train split as TFX's Transform does, and write the graph to a folder."""
    import apache_beam as beam
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2
    from tfx_bsl.tfxio import tf_example_record

    from pipeline import beam_args, hooks
    from pipeline.beam_config import Beam

    model = importlib.import_module(hooks.module_name(config))
    given, parsed = custom_config(config, "label", "features"), text_format.Parse(schema, schema_pb2.Schema())
    source = tf_example_record.TFExampleRecord(str(examples / "Split-train" / "*"), schema=parsed)
    options = beam.options.pipeline_options.PipelineOptions(beam_args.of(Beam().engine("")))
    with beam.Pipeline(options=options) as p, tft_beam.Context(str(folder / "scratch"), force_tf_compat_v1=False):
        raw = p | source.BeamSource(), source.TensorAdapterConfig()
        function = raw | tft_beam.AnalyzeDataset(lambda inputs: model.preprocessing_fn(inputs, given))
        function | tft_beam.WriteTransformFn(str(folder))
        tft.DatasetMetadata(parsed) | tft_beam.WriteMetadata(str(folder / tft.TFTransformOutput.RAW_METADATA_DIR), p)


@pytest.fixture(scope="session")
def head(table: Table, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Head]:
    """Return a function from a key of `LABELS` to the model, trained when it is first asked for."""

    @cache
    def trained(name: str) -> Head:
        config, folder = pipeline_config(LABELS[name]), tmp_path_factory.mktemp("head")
        analyze(table.folder, config, folder / "transform")
        return trained_head(table.folder, config, folder)

    return trained


def trained_head(examples: Path, config: Any, folder: Path, **more: Any) -> Head:
    """Train and export a model behind the transform graph in `folder`; `more` goes into its custom_config."""
    from tfx.components.trainer.fn_args_utils import FnArgs

    from pipeline import hooks

    arguments = FnArgs(
        train_files=[str(examples / "Split-train" / "*")],
        eval_files=[str(examples / "Split-eval" / "*")],
        transform_graph_path=str(folder / "transform"),
        serving_model_dir=str(folder / "Format-Serving"),
        model_run_dir=str(folder / "run"),
        custom_config=custom_config(config, "label", "features", "training") | more,
    )
    importlib.import_module(hooks.module_name(config)).run_fn(arguments)
    return Head(config, arguments, folder / "Format-Serving")


@pytest.fixture(scope="session")
def evaluate(table: Table, head: Callable[[str], Head], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Return a function that runs TFX's Evaluator on a head with an `evaluation` section, and gives the verdict."""
    from google.protobuf import json_format
    from tfx.components.evaluator import executor
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.types import standard_artifacts

    from pipeline import beam_args, eval_config, verdict
    from pipeline.beam_config import Beam

    def evaluated(name: str, evaluation: Mapping[str, Any], baseline: bool = False, **training: Any) -> verdict.Verdict:
        config = pipeline_config(LABELS[name], evaluation=evaluation, training=training)
        folder = tmp_path_factory.mktemp("evaluation")
        model, examples = standard_artifacts.Model(), standard_artifacts.Examples()
        model.uri, examples.uri = str(head(name).model.parent), str(table.folder)
        examples.split_names = '["train", "eval"]'
        evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
        evaluation.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
        executor.Executor(BaseBeamExecutor.Context(beam_pipeline_args=beam_args.of(Beam().engine("")))).Do(
            {"model": [model], "examples": [examples]} | ({"baseline_model": [model]} if baseline else {}),
            {"evaluation": [evaluation], "blessing": [blessing]},
            {"eval_config": json_format.MessageToJson(eval_config.eval_config(config)), "example_splits": '["eval"]'},
        )
        return verdict.read(config, evaluation.uri, blessing.uri)

    return evaluated


@pytest.fixture(scope="session")
def picture_examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an Examples artifact with pictures of stripes."""
    from tests import pictures

    folder = tmp_path_factory.mktemp("pictures")
    write_examples({"train": pictures.rows(180, 1), "eval": pictures.rows(60, 2)}, folder)
    return folder


@pytest.fixture(scope="session")
def picture_head(picture_examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Head:
    """A small network that tells stripes apart, exported for phones too."""
    from tests import pictures

    folder = tmp_path_factory.mktemp("picture_head")
    config = pipeline_config(
        pictures.LABEL,
        features={"exclude": ["path"], "columns": pictures.COLUMNS},
        model={
            "name": "image",
            "hyperparameters": {"width": 4, "depth": 2, "dense_units": 16, "learning_rate": 0.01, "shift": 0.1},
        },
        training={"epochs": 12, "batch_size": 16},
    )
    analyze(picture_examples, config, folder / "transform", pictures.SCHEMA)
    return trained_head(picture_examples, config, folder, mobile=True)
