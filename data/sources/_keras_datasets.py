"""Datasets that keras.datasets downloads, as pictures with their labels."""

from collections.abc import Iterator, Sequence
from typing import Any


def pictures(name: str, classes: Sequence[str]) -> Iterator[tuple[Any, str]]:
    """Yield pixels uint8 and the name of the class of every picture, those of the train part first.

    Args:
        name: of a module of keras.datasets.
        classes: names in the order of the labels.

    Raises:
        OSError: they cannot be downloaded.
    """
    import importlib

    dataset = importlib.import_module(f"keras.datasets.{name}")
    try:
        parts = dataset.load_data()
    except Exception as error:  # keras raises a bare Exception for a failed download
        cause = " ".join(str(error).split())
        raise OSError(
            f"{name} is downloaded once and needs a network, got {cause}; or take the source digits"
        ) from error
    for pixels, labels in parts:
        for picture, label in zip(pixels, labels.reshape(-1), strict=True):
            yield picture, classes[label]
