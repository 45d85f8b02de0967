"""The taxi pipeline as TFX's template has it: tfx.v1, module_file, LocalDagRunner, Beam's defaults.

Run by benchmarks/run_time.py: `python benchmarks/stock_taxi/run.py DATA_DIR SCHEMA OUTPUT_DIR SETTINGS_JSON`.
"""

import json
import sys
from pathlib import Path

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2
from tfx import v1 as tfx

MODULE = str(Path(__file__).with_name("module.py"))


def create_pipeline(data: str, schema: str, output: str, settings: dict):
    """Return the pipeline with the nine standard components and the Resolver."""
    splits = [tfx.proto.SplitConfig.Split(name=n, hash_buckets=b) for n, b in (("train", 2), ("eval", 1))]
    example_gen = tfx.components.CsvExampleGen(
        input_base=data, output_config=tfx.proto.Output(split_config=tfx.proto.SplitConfig(splits=splits))
    )
    examples = example_gen.outputs["examples"]
    statistics_gen = tfx.components.StatisticsGen(examples=examples)
    schema_gen = tfx.components.ImportSchemaGen(schema_file=schema)
    schema_channel = schema_gen.outputs["schema"]
    validator = tfx.components.ExampleValidator(statistics=statistics_gen.outputs["statistics"], schema=schema_channel)
    transform = tfx.components.Transform(examples=examples, schema=schema_channel, module_file=MODULE)
    shared = {
        "module_file": MODULE,
        "examples": transform.outputs["transformed_examples"],
        "transform_graph": transform.outputs["transform_graph"],
        "train_args": tfx.proto.TrainArgs(num_steps=settings["steps"]),
        "eval_args": tfx.proto.EvalArgs(num_steps=settings["eval_steps"]),
        "custom_config": settings,
    }
    tuner = tfx.components.Tuner(**shared)
    trainer = tfx.components.Trainer(**shared, hyperparameters=tuner.outputs["best_hyperparameters"])
    resolver = tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("latest_blessed_model_resolver")
    evaluator = tfx.components.Evaluator(
        examples=examples,
        model=trainer.outputs["model"],
        baseline_model=resolver.outputs["model"],
        eval_config=_eval_config(),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=f"{output}/serving")
        ),
    )
    nodes = [example_gen, statistics_gen, schema_gen, validator, transform, tuner, trainer, resolver, evaluator, pusher]
    return tfx.dsl.Pipeline(
        pipeline_name="stock_taxi",
        pipeline_root=f"{output}/root",
        components=nodes,
        enable_cache=True,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            f"{output}/mlmd.sqlite"
        ),
    )


def _eval_config() -> config_pb2.EvalConfig:
    threshold = config_pb2.MetricThreshold(value_threshold=config_pb2.GenericValueThreshold(lower_bound={"value": 0.9}))
    overall = config_pb2.PerSliceMetricThreshold(slicing_specs=[config_pb2.SlicingSpec()], threshold=threshold)
    names = ("BinaryAccuracy", "BinaryCrossEntropy", "ExampleCount")
    metrics = [config_pb2.MetricConfig(class_name="AUC", per_slice_thresholds=[overall])]
    metrics += [config_pb2.MetricConfig(class_name=name) for name in names]
    return tfma.EvalConfig(
        model_specs=[config_pb2.ModelSpec(label_key="big_tipper")],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            config_pb2.SlicingSpec(feature_keys=["payment_type"]),
            config_pb2.SlicingSpec(feature_keys=["trip_start_hour"]),
        ],
        metrics_specs=[config_pb2.MetricsSpec(metrics=metrics)],
    )


if __name__ == "__main__":
    data_dir, schema_file, output_dir, settings_json = sys.argv[1:]
    dag = create_pipeline(data_dir, schema_file, output_dir, json.loads(settings_json))
    tfx.orchestration.LocalDagRunner().run(dag)
    pushed = list(Path(output_dir, "serving").iterdir())
    print(f"pushed {pushed[0].name}" if pushed else "not pushed")
