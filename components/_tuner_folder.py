"""Where the trials of a search are kept until it is finished, and its files."""

import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from keras_tuner.src import utils
from tfx.types import artifact_utils
from tfx.utils import json_utils

from components import _local_copies, _unfinished

RECORD = "record.json"


def of_search(input_dict: Mapping[str, Any], output_dict: Mapping[str, Any], exec_properties: Mapping[str, Any]) -> str:
    """Return the folder of a search, which follows from what it searches on what, and not from for how long.

    Args:
        input_dict: artifacts by key.
        output_dict: artifacts by key; the folder lies beside theirs, in that of the step.
        exec_properties: of the Tuner.
    """
    results = artifact_utils.get_single_instance(output_dict["tuner_results"])
    config = custom_config(exec_properties)
    wanted = {key: value for key, value in config.get("tuner", {}).items() if key != "minutes"}
    searched = {**exec_properties, "custom_config": {**config, "tuner": wanted}}
    return _unfinished.folder("search", results, input_dict, searched)


def custom_config(exec_properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Tuner's custom_config, {} without one."""
    return json_utils.loads(exec_properties.get("custom_config") or "null") or {}


def save_json(path: str, content: Any) -> None:
    """Write JSON, atomically: a kill leaves the file before or after, never half of it."""
    utils.save_json(f"{path}.unfinished", content)
    tf.io.gfile.rename(f"{path}.unfinished", path, overwrite=True)


def keep(unfinished: _local_copies.Unfinished, trial_id: str = "") -> None:
    """Keep a search for a kill: the trial that ended, what is known of the others, and last what counts them."""
    unfinished.keep(*[f"*/trial_{trial_id}/**/*"] * bool(trial_id), "*/trial_*/*.json", "*/*.json")


def read_record(project_dir: str, trial_id: str) -> dict[str, Any]:
    """Return what a trial left (see `_tuner_record.py`); of one that was never begun, nothing in every key."""
    path = os.path.join(project_dir, f"trial_{trial_id}", RECORD)
    return {"worker": "", "begun": None, "seconds": 0.0, "curve": [], "message": None} | (
        utils.load_json(path) if tf.io.gfile.exists(path) else {}
    )
