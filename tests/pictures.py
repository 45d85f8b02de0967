"""Small pictures of stripes, of several sizes, modes and formats."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

CLASSES = ["across", "down", "plain"]
LABEL = {"name": "label", "task": "multiclass", "classes": CLASSES}
SIZE = (12, 10, 1)
COLUMNS = {"image": {"image": {"height": SIZE[0], "width": SIZE[1], "channels": SIZE[2]}}}
SCHEMA = "".join(
    f'feature {{ name: "{name}" type: BYTES shape {{ dim {{ size: 1 }} }} presence {{ min_fraction: 1 }} }}'
    for name in ("image", "label", "path")
)


def encoded(pixels: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """Return pixels uint8 as the bytes of a file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def rows(count: int, seed: int) -> list[dict[str, Any]]:
    """Return pictures with their labels."""
    random, found = np.random.default_rng(seed), []
    for number in range(count):
        label = CLASSES[number % len(CLASSES)]
        height, width = random.integers(12, 30, 2)
        pixels = random.integers(0, 60, (height, width), np.uint8)
        stripe = (np.arange(max(height, width)) // 4 % 2 * 190).astype(np.uint8)
        if label == "across":
            pixels += stripe[:height, None]
        elif label == "down":
            pixels += stripe[None, :width]
        colour = np.repeat(pixels[..., None], 3, axis=2)
        image = [encoded(pixels), encoded(colour), encoded(colour, "JPEG", quality=95)][number % 4 % 3]
        found.append({"image": image, "label": label, "path": f"{label}/{number}"})
    return found


def split(folder: Path, name: str, *, parsed: bool = True) -> list[Any]:
    """Return the rows of a split, or its serialized tf.Examples."""
    files = [str(path) for path in (folder / f"Split-{name}").iterdir()]
    records = list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
    if not parsed:
        return records
    found = []
    for record in records:
        feature = tf.train.Example.FromString(record).features.feature
        image, label = (feature[key].bytes_list.value[0] for key in ("image", "label"))
        found.append({"image": image, "label": label.decode()})
    return found
