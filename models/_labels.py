"""The label: its ids, and the names of its classes."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from models import _transforms, _vocabularies


def name(config: Mapping[str, Any]) -> str:
    """Return the name of the transformed label."""
    return f"{config['label']['name']}_label"


def ids(values: tf.Tensor, label: Mapping[str, Any]) -> tf.Tensor:
    """Return float32 [n] for regression, class ids int64 [n] otherwise; inside a preprocessing_fn.

    Args:
        values: raw labels [n].
        label: the `label` section of the config.

    Raises:
        ValueError: the label is text, and the task needs a number or the names of the classes.
    """
    if values.dtype == tf.string and label["task"] != "multiclass" and not label["classes"]:
        wanted = (
            "a regression needs a number" if label["task"] == "regression" else "list its two values, negative first"
        )
        raise ValueError(f"label.classes: {label['name']} is text, got no classes; {wanted}")
    if label["task"] == "regression":
        return tf.cast(values, tf.float32)
    if label["classes"]:
        keys = tf.constant([str(name) for name in label["classes"]])
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, tf.range(len(label["classes"]), dtype=tf.int64)), -1
        )
        return table.lookup(_transforms.as_text(values))
    if label["task"] == "binary":
        return tf.cast(values, tf.int64)
    text = _transforms.as_text(values)
    files = _vocabularies.vocabulary_files({label["name"]: text}, {label["name"]: {}}, _transforms.MISSING_TOKEN)
    return tft.apply_vocabulary(text, files[label["name"]])


def classes(config: Mapping[str, Any], transform: tft.TFTransformOutput) -> list[str]:
    """Return the class names in the order of their ids; a regression has none."""
    label = config["label"]
    if label["task"] == "regression":
        return []
    if label["classes"] or label["task"] == "binary":
        return [str(name) for name in label["classes"] or (0, 1)]
    return [name.decode() for name in transform.vocabulary_by_name(label["name"])]
