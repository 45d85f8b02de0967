"""A search over a number, with trials that can be told to fail, to die or to take their time.

`python small_search.py FOLDER JSON` runs the Tuner's executor in a process of its own; what each trial does is written
to FOLDER/journal, a line each.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
from tfx.components.tuner.component import TunerFnResult
from tfx.types import standard_artifacts

ORACLES = {"grid": keras_tuner.GridSearch, "random": keras_tuner.RandomSearch, "hyperband": keras_tuner.Hyperband}


class Numbered(keras_tuner.HyperModel):
    """A network whose val_loss is about its number."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.config = config

    def note(self, text: str) -> None:
        with open(self.config["journal"], "a", encoding="utf-8") as file:
            file.write(f"{text} {os.getpid()}\n")

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        hp.Int("number", 1, self.config.get("numbers", 4))
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", loss="mse")
        return model

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        number, config = hp.values["number"], self.config
        self.note(f"begin {number}")
        if config.get("fails") == "all" or number in config.get("fails", []):
            raise ZeroDivisionError(f"planted in {number}")
        if number in config.get("dies", []):
            os._exit(9)
        time.sleep(config.get("trial_s", 0))
        x, y = np.ones((8, 1), "float32"), np.full((8, 1), number**0.5, "float32")
        slow = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: time.sleep(config.get("epoch_s", 0)))
        kwargs["callbacks"] = [*kwargs.get("callbacks", []), slow]
        history = model.fit(x, y, validation_data=(x, y), **kwargs)
        self.note(f"end {number}")
        return history


def tuner_fn(fn_args: Any) -> TunerFnResult:
    """Return the search that custom_config describes."""
    config = fn_args.custom_config
    kind = ORACLES[config.get("algorithm", "grid")]
    limit = {"max_epochs": 4} if kind is keras_tuner.Hyperband else {"max_trials": config.get("max_trials", 10)}
    directory = config.get("remote_trials_working_dir", fn_args.working_dir)
    tuner = kind(Numbered(config), objective="val_loss", seed=1, directory=directory, project_name="search", **limit)
    return TunerFnResult(tuner=tuner, fit_kwargs={"epochs": config.get("epochs", 1), "verbose": 0})


def arguments(folder: Path, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return what the executor is called with; outputs go to FOLDER/Tuner, as TFX lays them out."""
    examples, graph = standard_artifacts.Examples(), standard_artifacts.TransformGraph()
    examples.uri, examples.split_names, graph.uri = str(folder / "examples"), '["train", "eval"]', str(folder / "graph")
    best, results = standard_artifacts.HyperParameters(), standard_artifacts.TunerResults()
    best.uri, results.uri = (str(folder / "Tuner" / key / "1") for key in ("best_hyperparameters", "tuner_results"))
    properties = {
        "tuner_fn": "small_search.tuner_fn", "train_args": "{}", "eval_args": "{}",
        "custom_config": json.dumps({**config, "journal": str(folder / "journal")}),
    }  # fmt: skip
    inputs = {"examples": [examples], "transform_graph": [graph]}
    return inputs, {"best_hyperparameters": [best], "tuner_results": [results]}, properties


def run(folder: Path, config: dict[str, Any]) -> None:
    """Run the executor."""
    from components._tuner import Executor

    Executor().Do(*arguments(folder, config))


if __name__ == "__main__":
    run(Path(sys.argv[1]), json.loads(sys.argv[2]))
