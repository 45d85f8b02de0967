"""Any table, searched as a whole: which network, how large, how fast it learns and on how many rows a step.

The networks are those of `models/tabular.py`: its linear part, its deep part, or both. What is to be searched and for
how long is data here, and so needs no line in the config: `SPACE` and `CONFIG` have the form of its sections.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from models import tabular

# Of a linear network, these say nothing.
OF_THE_DEEP_PART = ("hidden_layers", "hidden_units", "dropout", "embedding_factor")
SPACE = {
    "architecture": {"choice": list(tabular.ARCHITECTURES)},
    **tabular.SPACE,
    **{key: {**tabular.SPACE[key], "when": {"architecture": ["wide_and_deep", "deep"]}} for key in OF_THE_DEEP_PART},
}
CONFIG = {
    # With this seed the first three draws of the whole space are the three architectures: a search that ends early
    # has seen each.
    "tuner": {"max_trials": 30, "minutes": 10, "epochs": 60, "patience": 6, "seed": 68},
    # As long as it gets better: the winner may be one that learns slowly.
    "training": {"epochs": 120, "patience": 10},
}

# By transform, the model that has networks for it.
OTHER_MODELS = {"image": "image", "tokens": "text"}


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Do as `tabular.preprocessing_fn` does.

    Raises:
        ValueError: likewise, and for a transform of pictures or of texts as sequences.
    """
    for name, transforms in custom_config["features"]["columns"].items():
        for kind in (transform["kind"] for transform in transforms if transform["kind"] in OTHER_MODELS):
            raise ValueError(
                f"features.columns.{name}: the model auto searches networks for tables, got {kind}; take the model "
                f"{OTHER_MODELS[kind]}, whose hyperparameters may stand in tuner.space"
            )
    return tabular.preprocessing_fn(inputs, custom_config)


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Return the tuner for the search space, and what its `search` takes."""
    return tabular.tuner_fn(fn_args)


def run_fn(fn_args: FnArgs) -> None:
    """Train the network that was found, and export it to `fn_args.serving_model_dir`."""
    tabular.run_fn(fn_args)
