"""A column of encoded pictures as pixels: decoded and resized in the graph, so that a request carries a file's bytes.

Pixels are whole numbers from 0 to 255. tf.Transform knows no uint8, so its graph gives them as float32; what is kept in
memory, and what a phone hands over, is uint8. The network brings them to the range it wants.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

KIND, SUFFIX = "image", "pixels"


@dataclass(frozen=True)
class Picture:
    """The column of pictures, and what becomes of it.

    Attributes:
        column: the raw feature, the bytes of PNG or JPEG files.
        height: of the resized picture, in pixels.
        width: likewise.
        channels: 1 makes it grey, 3 makes it colour.
    """

    column: str
    height: int
    width: int
    channels: int

    @property
    def feature(self) -> str:
        """The name of the transformed feature."""
        return f"{self.column}_{SUFFIX}"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows of pixels from the top, pixels from the left, channels."""
        return self.height, self.width, self.channels


def wanted(raw_spec: Mapping[str, Any], names: Sequence[str], config: Mapping[str, Any]) -> Picture:
    """Return the one column of pictures that a config asks for.

    Args:
        raw_spec: the feature spec of the raw data.
        names: the raw features the model takes.
        config: custom_config, with `features`.

    Raises:
        ValueError: there is none or a second one, it has other transforms, or other columns are not excluded.
    """
    plan = config["features"]["columns"]
    found = [name for name in names if [transform["kind"] for transform in plan.get(name, ())] == [KIND]]
    if len(found) != 1:
        raise ValueError(
            f"features.columns: one column of pictures is needed, got {found or 'none'}; "
            "for instance {image: {image: {height: 28, width: 28, channels: 1}}}"
        )
    (column,) = found
    if others := [name for name in names if name != column]:
        raise ValueError(f"features: this model takes pictures only, got {others} too; list them in features.exclude")
    if raw_spec[column].dtype != tf.string:
        got = raw_spec[column].dtype.name
        raise ValueError(f"features.columns.{column}: a picture is the bytes of a file, got {got}; see docs/models.md")
    options = plan[column][0]
    return Picture(column, options["height"], options["width"], options["channels"])


def pixels(encoded: tf.Tensor, picture: Picture) -> tf.Tensor:
    """Decode and resize.

    Args:
        encoded: the bytes of PNG or JPEG files, [n]; of an animated GIF the first picture counts.
        picture: the size.

    Returns:
        float32 [n, height, width, channels], whole numbers from 0 to 255; InvalidArgumentError for what is no picture.
    """

    def one(data: tf.Tensor) -> tf.Tensor:
        decoded = tf.io.decode_image(data, channels=picture.channels, expand_animations=False)
        decoded.set_shape([None, None, picture.channels])
        resized = tf.image.resize(decoded, [picture.height, picture.width], antialias=True)
        return tf.clip_by_value(tf.round(resized), 0, 255)

    with tf.name_scope(f"picture_{picture.column}"):
        return tf.map_fn(one, encoded, fn_output_signature=tf.TensorSpec(picture.shape, tf.float32))


def compact(features: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Return pixels as uint8, a quarter of the memory, and everything else as it is."""
    return {name: tf.cast(x, tf.uint8) if name.endswith(f"_{SUFFIX}") else x for name, x in features.items()}


class OnDevice(tf.Module):
    """From decoded, resized pictures uint8 [n, height, width, channels], which a phone hands over, to the feature."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._picture = picture

    def __call__(self, columns: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return the feature by name."""
        return {self._picture.feature: columns[self._picture.column]}


def recipe(picture: Picture) -> dict[str, Any]:
    """Return the transform as data; `tensors` says which inputs of `serving_mobile` are features and no raw columns."""
    size = {"height": picture.height, "width": picture.width, "channels": picture.channels}
    return {
        "columns": {picture.column: "string"},
        "missing_word": "",
        "features": {picture.feature: {"column": picture.column, "kind": KIND, **size}},
        "tensors": {picture.column: {"feature": picture.feature, "dtype": "uint8"}},
    }
