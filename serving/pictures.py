"""The bytes of picture files as pixels, without TensorFlow: what `models/_pictures.py` does, for apps and their tests.

PNG files of the wanted size give the same pixels; after resizing, greying or JPEG they may differ by two or three
levels out of 255.
"""

import io
from collections.abc import Sequence

import numpy as np


def pixels(encoded: Sequence[bytes], height: int, width: int, channels: int) -> np.ndarray:
    """Decode and resize.

    Args:
        encoded: the bytes of PNG or JPEG files, [n].
        height: of the resized pictures.
        width: likewise.
        channels: 1 makes them grey, 3 makes them colour.

    Returns:
        float32 [n, height, width, channels], whole numbers from 0 to 255.

    Raises:
        ValueError: one of them is no picture.
    """
    from PIL import Image

    found: np.ndarray = np.empty((len(encoded), height, width, channels), np.float32)
    for number, data in enumerate(encoded):
        try:
            with Image.open(io.BytesIO(data)) as picture:
                resized = picture.convert("L" if channels == 1 else "RGB").resize(
                    (width, height), Image.Resampling.BILINEAR
                )
        except (OSError, SyntaxError) as error:
            raise ValueError(f"row {number + 1}: no picture, got {error}") from error
        found[number] = np.asarray(resized).reshape(height, width, channels)
    return found
