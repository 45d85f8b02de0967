"""Pictures in one folder per class, as the columns `image` (the file's bytes), `label` (the folder) and `path`."""

import os
from typing import Any

from data.loaders.csv import matching_files

__all__ = ["column_names", "load", "matching_files"]
# What TFX's cache must know the code of.
MODULES = ("data.loaders.images", "data.loaders._images_example_gen")
COLUMNS = ["image", "label", "path"]


def column_names(path: str) -> list[str]:
    """Return the columns; they do not depend on the file."""
    return COLUMNS


def row(path: str) -> dict[str, bytes]:
    """Return one picture as a row.

    Raises:
        ValueError: it cannot be decoded.
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            picture.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: no picture, got {error}; take the file out or repair it") from error
    with open(path, "rb") as file:
        data = file.read()
    folder, name = os.path.split(path)
    label = os.path.basename(folder)
    return {"image": data, "label": label.encode(), "path": f"{label}/{name}".encode()}


def load(pattern: str, output_config: Any, options: dict[str, Any]) -> Any:
    """Return the ExampleGen node that reads the pictures a glob names.

    Args:
        pattern: absolute glob of the files, `<folder>/*/*.png`.
        output_config: example_gen_pb2.Output with the splits to make.
        options: JSON, for the cache only.
    """
    from data.loaders import _images_example_gen  # TFX takes seconds to import; listing and checking must not

    return _images_example_gen.images_example_gen(pattern, output_config, options)
