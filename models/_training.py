"""What every family of models shares: the search, the training and the export of a network it builds."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import keras
import numpy as np
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from models import (
    _callbacks,
    _dates,
    _export,
    _fitting,
    _heads,
    _inputs,
    _labels,
    _optimizers,
    _runtime,
    _search,
    _shared_split,
    _warm_start,
)
from models._distillation import Distiller
from models._transform_graph import TransformGraph
from models._trial import Trial

# From the transform's output, custom_config, hyperparameters and the labels of the train split [rows] to a network: a
# dict of transformed features in; [n] or, with several classes, [n, classes] out.
Build = Callable[[tft.TFTransformOutput, Mapping[str, Any], Mapping[str, Any], np.ndarray], keras.Model]
ForPhones = Callable[[TransformGraph, tft.TFTransformOutput, Mapping[str, Any]], _export.Mobile]


@dataclass(frozen=True)
class _Networks:
    """Networks of one family for one config and its data: trials and the final model are made in the same way.

    Attributes:
        build: of the family.
        transform: the transform's output.
        config: custom_config.
        rows: the train split.
    """

    build: Build
    transform: tft.TFTransformOutput
    config: Mapping[str, Any]
    rows: _inputs.Split

    def new(self, hp: Mapping[str, Any]) -> keras.Model:
        """Return the network for hyperparameters; those of the fit and of Hyperband's schedule are none of its own."""
        return self.build(self.transform, self.config, _search.of_network(hp), self.rows.label)

    def at_work(self, hp: Mapping[str, Any], epochs: int, **teaching: Any) -> tuple[keras.Model, keras.Model]:
        """Return a new network, and what is to be fitted, compiled: itself, or with a teacher the two together."""
        training, task = self.config["training"], self.config["label"]["task"]
        steps = math.ceil(self.rows.rows / hp.get("batch_size", training["batch_size"]))
        with _runtime.at_work(training):
            network = self.new(hp)
            model = Distiller(network, task=task, **teaching) if teaching else network
            optimizer = _optimizers.optimizer(training, hp["learning_rate"], steps_per_epoch=steps, epochs=epochs)
            return network, _heads.compiled(model, task, optimizer)

    def to_export(self, network: keras.Model, hp: Mapping[str, Any]) -> keras.Model:
        """Return a trained network as servers and phones can take it: they know no half precision and no strategy."""
        if _runtime.is_plain(self.config["training"]):
            return network
        plain = self.new(hp)
        plain.set_weights(network.get_weights())
        return plain


def search(
    fn_args: FnArgs, build: Build, defaults: Mapping[str, Any], compact: _inputs.Compact = dict
) -> TunerFnResult:
    """Return the tuner for the search space of the config, and what its `search` takes.

    Args:
        fn_args: the Tuner's.
        build: returns a network.
        defaults: of the hyperparameters that neither the config nor a trial gives.
        compact: how transformed features are kept in memory.
    """
    config = fn_args.custom_config
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    # Loaded when a split is to be transformed: a worker of a search finds it done.
    graph = cache(lambda: TransformGraph(transform))
    rows, evaluation = (
        _shared_split.shared(fn_args.working_dir, name, partial(_split, name, fn_args, graph, compact))
        for name in ("train", "eval")
    )
    training, wanted = config["training"], config["tuner"]
    networks = _Networks(build, transform, config, rows)

    def draw(values: Mapping[str, Any]) -> keras.Model:
        hp = {**defaults, **config["hyperparameters"], **values}
        # Hyperband says itself how long a trial is.
        epochs = values.get("tuner/epochs", wanted["epochs"])
        return networks.at_work(hp, epochs)[1]

    _runtime.begin(training)
    trial = Trial(draw, rows, evaluation, training, _weights(config, rows))
    fit_kwargs = {
        "epochs": wanted["epochs"],
        "callbacks": _callbacks.of_trial(training, wanted["patience"]),
        "verbose": 0,
    }
    # TFX's key, for a search on several machines: what they share.
    directory = config.get("remote_trials_working_dir", fn_args.working_dir)
    return TunerFnResult(tuner=_search.tuner(trial, wanted, directory), fit_kwargs=fit_kwargs)


def train(
    fn_args: FnArgs,
    build: Build,
    defaults: Mapping[str, Any],
    for_phones: ForPhones,
    compact: _inputs.Compact = dict,
) -> None:
    """Train with the best hyperparameters found, or the config's own, and export to `fn_args.serving_model_dir`.

    Args:
        fn_args: the Trainer's.
        build: returns a network.
        defaults: of the hyperparameters that neither the config nor the search gives.
        for_phones: returns what the export needs when the config has `mobile`.
        compact: how transformed features are kept in memory.
    """
    config = fn_args.custom_config
    training = config["training"]
    _runtime.begin(training)
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    graph = TransformGraph(transform)
    rows, evaluation = (_split(name, fn_args, lambda: graph, compact) for name in ("train", "eval"))
    found = (fn_args.hyperparameters or {}).get("values", {})
    hp = {**defaults, **config["hyperparameters"], **found}
    if "batch_size" in found:
        training = {**training, "batch_size": found["batch_size"]}

    networks = _Networks(build, transform, config, rows)

    fitted = partial(_fitted, networks, evaluation, training, fn_args)
    model = fitted("", hp)
    if distillation := training.get("distillation"):
        rates = {key: distillation[key] for key in ("temperature", "weight")}
        hp = {**hp, **distillation["student"]}
        model = fitted("student", hp, teacher=model, **rates)
    model = networks.to_export(model, hp)
    answer = _heads.answer(model, config, transform)
    examples = _inputs.telling_examples(fn_args.eval_files, _export.SAMPLE_ROWS)
    mobile = for_phones(graph, transform, config) if config["mobile"] else None
    _export.export(model, graph, answer, config, examples, fn_args.serving_model_dir, mobile)


def _fitted(
    networks: _Networks,
    evaluation: _inputs.Split,
    training: Mapping[str, Any],
    fn_args: FnArgs,
    name: str,
    hp: Mapping[str, Any],
    **teaching: Any,
) -> keras.Model:
    """Return a trained network, whose weights are kept for a warm start; `name` is "", or student with a teacher."""
    network, model = networks.at_work(hp, training["epochs"], **teaching)
    log_dir = os.path.join(fn_args.model_run_dir, name)
    if training.get("warm_start"):
        _warm_start.begin(network, fn_args.base_model, name, log_dir)
    _fitting.fit(
        model, networks.rows, evaluation, training,
        weights=_weights(networks.config, networks.rows), log_dir=log_dir,
        backup_dir=os.path.join(fn_args.working_dir, name) if fn_args.working_dir else None,
    )  # fmt: skip
    _warm_start.save(network, fn_args.serving_model_dir, name)
    return network


def _split(name: str, fn_args: FnArgs, graph: Callable[[], TransformGraph], compact: _inputs.Compact) -> _inputs.Split:
    """Return the split "train" or "eval", transformed; a column of dates that are none is told from the first."""
    config = fn_args.custom_config
    files = fn_args.train_files if name == "train" else fn_args.eval_files
    weight = config["training"].get("sample_weight")
    split = _inputs.read_split(files, graph(), _labels.name(config), compact, weight)
    if name == "train":
        _dates.refuse_unread(split.blocks.as_numpy_iterator(), config["features"].get("columns", {}))
    return split


def _weights(config: Mapping[str, Any], rows: _inputs.Split) -> np.ndarray | None:
    if config["training"]["class_weight"] != "balanced":
        return None
    return _inputs.balanced_weights(rows.label, int(rows.label.max()) + 1)
