"""The steps of a pipeline, each from channels to one TFX node.

Importing this module imports TFX's components, which takes seconds; the command line does it inside commands only.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tfx import types
from tfx.components import Evaluator, ExampleValidator, SchemaGen, StatisticsGen, Transform
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.dsl.components.common.resolver import Resolver
from tfx.proto import example_gen_pb2, pusher_pb2, tuner_pb2
from tfx.types import standard_artifacts

from components import (
    _baseline,
    _data_gate,
    _doors,
    _mobile_pusher,
    _pusher,
    _tflite,
    _trainer,
    _tuner,
    _warm_start,
)
from pipeline import fingerprint, hooks, names
from pipeline.bus import Bus
from pipeline.config import Config
from pipeline.config_file import ConfigFile
from pipeline.data_files import curated_schema, data_format, float_columns
from pipeline.eval_config import eval_config
from pipeline.home import Home


@dataclass(frozen=True)
class Plan:
    """What every step may look at: the checked config and the places to write to."""

    file: ConfigFile
    home: Home

    @property
    def config(self) -> Config:
        """The content of the config file."""
        return self.file.config


Make = Callable[[Bus, Plan], Any]


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: the id of its node.
        make: from the bus and the plan to the node.
        publishes: by channel name, the output key of the node.
        gate: whether every later step waits for it, although it hands them nothing.
    """

    name: str
    make: Make
    publishes: Mapping[str, str] = field(default_factory=dict)
    gate: bool = False


def _example_gen(_: Bus, plan: Plan) -> Any:
    data, inputs = plan.config.data, plan.file.inputs
    loader = names.load("data.loaders", data_format(data))
    options: dict[str, Any] = {**data.options, "code": fingerprint.of_modules(*loader.MODULES)}
    if plan.file.schema_path:
        options["float_columns"] = float_columns(curated_schema(plan.file.schema_path), data)
    if data.rename:
        options["rename"] = data.rename
    if inputs.spans:
        options["spans"] = list(inputs.spans)
    if inputs.version is not None:
        options["version"] = inputs.version
    output = example_gen_pb2.Output()
    if len(inputs.patterns) == 1:  # else they are the splits
        options["split"] = data.split.arguments(plan.config.label.name)
        for name, share in data.split.ratio.items():
            output.split_config.splits.add(name=name, hash_buckets=share)
    return loader.load(inputs.patterns, output, options)


def _statistics_gen(bus: Bus, plan: Plan) -> Any:
    return StatisticsGen(examples=bus.read("examples", "StatisticsGen"))


def _schema_gen(bus: Bus, plan: Plan) -> Any:
    return SchemaGen(statistics=bus.read("statistics", "SchemaGen"), infer_feature_shape=True)


def _import_schema_gen(_: Bus, plan: Plan) -> Any:
    # TFX's cache sees the path and not the content, so the path is made of the content.
    source = plan.file.schema_path
    assert source is not None, "this step is only taken with a curated schema"
    copy = plan.home.artifacts / "schemas" / sha256(source.read_bytes()).hexdigest()[:16] / "schema.pbtxt"
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, copy)
    return ImportSchemaGen(schema_file=str(copy))


def _example_validator(bus: Bus, plan: Plan) -> Any:
    return ExampleValidator(**bus.read_all(("statistics", "schema"), "ExampleValidator"))


def _data_gate_step(bus: Bus, plan: Plan) -> Any:
    return _data_gate.DataGate(**bus.read_all(("anomalies", "statistics"), "DataGate"), label=plan.config.label.name)


def _transform(bus: Bus, plan: Plan) -> Any:
    hook = hooks.dotted(plan.config, "preprocessing_fn")
    return Transform(
        **bus.read_all(("examples", "schema"), "Transform"),
        preprocessing_fn=hook,
        # Trainer and Tuner apply the graph themselves: see docs/decisions/0002-transform-in-the-trainer.md.
        materialize=False,
        disable_statistics=True,
        disable_analyzer_cache=True,
        custom_config=_custom_config(plan.config, hook, "label", "features"),
    )


def _tuner_step(bus: Bus, plan: Plan) -> Any:
    hook = hooks.dotted(plan.config, "tuner_fn")
    custom_config = _custom_config(plan.config, hook, "label", "features", "training", "tuner")
    # Trials have an epoch limit and a patience of their own; the final training's must not start a new search.
    for key in ("epochs", "patience", "tensorboard", "distillation", "warm_start"):
        custom_config["training"].pop(key, None)
    workers, vertex = custom_config["tuner"].pop("workers"), custom_config["tuner"].pop("vertex", None)
    if "." in (algorithm := custom_config["tuner"]["algorithm"]):
        custom_config["algorithm_code"] = fingerprint.of_modules(algorithm.rpartition(".")[0])
    channels = bus.read_all(("examples", "transform_graph"), "Tuner")
    if vertex:
        from components import _tuner_vertex  # imports Google's clients, for seconds

        custom_config |= _tuner_vertex.job(vertex)
        parallel = tuner_pb2.TuneArgs(num_parallel_trials=workers)
        return _tuner_vertex.Tuner(**channels, tuner_fn=hook, tune_args=parallel, custom_config=custom_config)
    # How many processes search is no part of what is found: it must not start a new search either.
    os.environ[_tuner.WORKERS] = str(workers)
    return _tuner.Tuner(**channels, tuner_fn=hook, custom_config=custom_config)


def _warm_start_step(bus: Bus, plan: Plan) -> Any:
    given = trainer_arguments(bus, plan)
    training = _warm_start.training(given.pop("run_fn"), given.pop("custom_config"))
    return Resolver(
        strategy_class=_warm_start.WarmStartStrategy,
        config={"training": training},
        model=types.Channel(type=standard_artifacts.Model),
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        **{key: channel for key, channel in given.items() if channel},
    )


def trainer_arguments(bus: Bus, plan: Plan) -> dict[str, Any]:
    """Return the arguments of a Trainer, but for the model that it may begin with."""
    hook = hooks.dotted(plan.config, "run_fn")
    return {
        **bus.read_all(("examples", "transform_graph"), "Trainer"),
        "hyperparameters": bus.get("best_hyperparameters"),
        "run_fn": hook,
        "custom_config": {
            **_custom_config(plan.config, hook, "label", "features", "training"),
            "mobile": plan.config.mobile is not None,
        },
    }


def _trainer_step(bus: Bus, plan: Plan) -> Any:
    return _trainer.Trainer(**trainer_arguments(bus, plan), base_model=bus.get("base_model"))


def _custom_config(config: Config, hook: str, *sections: str) -> dict[str, Any]:
    """Return what a hook gets: the sections it needs and no others, so that its cache depends on no others."""
    content = config.model_dump(mode="json", exclude_none=True, include=set(sections))
    if "features" in sections and config.training.sample_weight:
        content["features"]["exclude"] = sorted({*config.features.exclude, config.training.sample_weight})
    content["hyperparameters"] = config.model.hyperparameters if "training" in sections else {}
    # Sorted, so that the order of keys in the file is no change.
    return json.loads(json.dumps({**content, "code": fingerprint.of_function(hook)}, sort_keys=True))


def _doors_step(bus: Bus, plan: Plan) -> Any:
    code = fingerprint.of_modules("components._doors")
    return _doors.Doors(**bus.read_all(("model", "examples"), "Doors"), code=code)


def _baseline_step(bus: Bus, plan: Plan) -> Any:
    return Resolver(
        strategy_class=_baseline.BaselineStrategy,
        model=types.Channel(type=standard_artifacts.Model),
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        candidate=bus.read("model", "Baseline"),
    )


def _evaluator(bus: Bus, plan: Plan) -> Any:
    return Evaluator(
        **bus.read_all(("examples", "model"), "Evaluator"),
        baseline_model=bus.read("baseline_model", "Evaluator"),
        eval_config=eval_config(plan.config),
    )


def pusher_arguments(bus: Bus) -> dict[str, Any]:
    """Return what a Pusher of any kind takes."""
    return {
        "model": bus.read("model", "Pusher"),
        "model_blessing": bus.get("blessing"),
        "infra_blessing": bus.get("infra_blessing"),
    }


def _pusher_step(bus: Bus, plan: Plan) -> Any:
    filesystem = pusher_pb2.PushDestination.Filesystem(base_directory=str(plan.home.serving))
    destination = pusher_pb2.PushDestination(filesystem=filesystem)
    return _pusher.Pusher(**pusher_arguments(bus), push_destination=destination)


def _tflite_step(bus: Bus, plan: Plan) -> Any:
    mobile = plan.config.mobile
    assert mobile is not None, "this step is only taken with a mobile section"
    options = mobile.model_dump(mode="json") | {
        "label": plan.config.label.model_dump(mode="json"), "name": plan.config.name,
    }  # fmt: skip
    return _tflite.TfLite(
        **bus.read_all(("model", "examples"), "TfLite"),
        options=options,
        # The converter is reached through a process, which no fingerprint sees.
        code=fingerprint.of_modules("components._tflite", "components._tflite_convert"),
    )


def _mobile_pusher_step(bus: Bus, plan: Plan) -> Any:
    return _mobile_pusher.MobilePusher(
        **bus.read_all(("mobile_model", "pushed_model"), "MobilePusher"), destination=str(plan.home.mobile)
    )


STEPS = (
    Step("ExampleGen", _example_gen, {"examples": "examples"}),
    Step("StatisticsGen", _statistics_gen, {"statistics": "statistics"}),
    Step("SchemaGen", _schema_gen, {"schema": "schema"}),
    Step("ImportSchemaGen", _import_schema_gen, {"schema": "schema"}),
    Step("ExampleValidator", _example_validator, {"anomalies": "anomalies"}),
    Step("DataGate", _data_gate_step, gate=True),
    Step("Transform", _transform, {"transform_graph": "transform_graph"}),
    Step("Tuner", _tuner_step, {"best_hyperparameters": "best_hyperparameters", "tuner_results": "tuner_results"}),
    Step("WarmStart", _warm_start_step, {"base_model": "model"}),
    Step("Trainer", _trainer_step, {"model": "model", "model_run": "model_run"}),
    Step("Doors", _doors_step, {"infra_blessing": "blessing"}, gate=True),
    Step("Baseline", _baseline_step, {"baseline_model": "model"}),
    Step("Evaluator", _evaluator, {"evaluation": "evaluation", "blessing": "blessing"}),
    Step("TfLite", _tflite_step, {"mobile_model": "mobile_model"}),
    Step("Pusher", _pusher_step, {"pushed_model": "pushed_model"}),
    Step("MobilePusher", _mobile_pusher_step, {"pushed_mobile": "pushed_mobile"}),
)


def switched_off(config: Config) -> set[str]:
    """Return the names of the standard steps that a config does without."""
    off = {"SchemaGen" if config.schema_file else "ImportSchemaGen"}
    off |= set() if config.tuner else {"Tuner"}
    off |= set() if config.training.warm_start else {"WarmStart"}
    off |= set() if config.doors else {"Doors"}
    off |= set() if config.evaluation else {"Baseline", "Evaluator"}
    off |= set() if config.mobile else {"TfLite", "MobilePusher"}
    return off | (set() if config.push else {"Pusher", "MobilePusher"})
