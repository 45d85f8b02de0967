"""Networks for pictures: a small one from scratch, and keras.applications without downloaded weights."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras

from models import _heads, _meanings

# What keras.applications accept at least.
LEAST_SIDE = 32
# A side shorter than this is not halved again.
LEAST_POOLED = 4
# Of batch normalisation's moving averages. Keras's 0.99 needs hundreds of steps before validation means anything, and a
# trial on a small dataset has no more than that.
MOMENTUM = 0.9
# By name, the network and the range of pixels it was made for; EfficientNet scales by itself.
APPLICATIONS: dict[str, tuple[Callable[..., keras.Model], tuple[float, float]]] = {
    "mobilenet_v2": (keras.applications.MobileNetV2, (-1, 1)),
    "efficientnet_b0": (keras.applications.EfficientNetB0, (0, 255)),
    "resnet50": (keras.applications.ResNet50, (-1, 1)),
}
BACKBONES = ("cnn", *APPLICATIONS)


def require_backbone(name: Any, height: int, width: int) -> None:
    """Raise ValueError unless there is such a backbone, and it takes pictures of this size."""
    if name not in BACKBONES:
        raise ValueError(f"model.hyperparameters.backbone: no such backbone, got {name!r}; one of {list(BACKBONES)}")
    if name in APPLICATIONS and min(height, width) < LEAST_SIDE:
        raise ValueError(
            f"model.hyperparameters.backbone: {name} takes pictures of {LEAST_SIDE} x {LEAST_SIDE} or more, "
            f"got {height} x {width}; enlarge height and width, or take the backbone cnn"
        )


def features(pixels: Any, hp: Mapping[str, Any]) -> Any:
    """Return what the last dense layer sees, [n, dense_units].

    Args:
        pixels: [n, height, width, channels], 0 to 255.
        hp: hyperparameters of `models/image.py`.
    """
    low, high = APPLICATIONS[hp["backbone"]][1] if hp["backbone"] in APPLICATIONS else (-1, 1)
    x = keras.layers.Rescaling((high - low) / 255, low)(pixels)
    x = augmented(x, hp)
    if hp["backbone"] in APPLICATIONS:
        application = APPLICATIONS[hp["backbone"]][0]
        x = application(include_top=False, weights=None, input_shape=x.shape[1:], pooling="avg")(x)
        rows = None
    else:
        x, rows = _flat(_small(x, hp))
    return _heads.dense_layers(x, 1, hp["dense_units"], hp["dropout"], rows)


def augmented(x: Any, hp: Mapping[str, Any]) -> Any:
    """Return pictures moved at random while training, and unchanged otherwise.

    Args:
        x: [n, height, width, channels].
        hp: `shift` and `zoom` as shares of the side, `rotation` as a share of a full turn, `flip` left to right.
    """
    if hp["shift"]:
        x = keras.layers.RandomTranslation(hp["shift"], hp["shift"], fill_mode="nearest")(x)
    if hp["rotation"]:
        x = keras.layers.RandomRotation(hp["rotation"], fill_mode="nearest")(x)
    if hp["zoom"]:
        x = keras.layers.RandomZoom(hp["zoom"], hp["zoom"], fill_mode="nearest")(x)
    return keras.layers.RandomFlip("horizontal")(x) if hp["flip"] else x


def _small(x: Any, hp: Mapping[str, Any]) -> Any:
    """Return a map [n, height, width, filters]: `depth` blocks of two convolutions, each with twice the filters."""
    for block in range(hp["depth"]):
        for _ in range(2):
            x = keras.layers.Conv2D(hp["width"] * 2**block, 3, padding="same", use_bias=False)(x)
            x = keras.layers.BatchNormalization(momentum=MOMENTUM)(x)
            x = keras.layers.ReLU()(x)
        if min(x.shape[1:3]) >= LEAST_POOLED:
            x = keras.layers.MaxPooling2D()(x)
        x = keras.layers.Dropout(hp["dropout"])(x)
    return x


def _flat(x: Any) -> tuple[Any, Callable[[], _meanings.Rows] | None]:
    """Return a map as values [n, values], with what these stand for where each has its place in the picture."""
    # Of a small map the places matter too; of a large one they would be most of the weights.
    height, width, filters = x.shape[1:]
    if height * width > LEAST_POOLED**2:
        return keras.layers.GlobalAveragePooling2D()(x), None
    name = f"{height} x {width} x {filters}"
    return keras.layers.Flatten()(x), partial(_meanings.numbered, {name: height * width * filters})
