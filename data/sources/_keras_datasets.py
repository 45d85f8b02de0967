"""Datasets that keras.datasets downloads, told in one line when they cannot be had; and pictures with their labels."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def downloading(name: str, *, instead: str) -> Iterator[None]:
    """Raise OSError when a dataset cannot be downloaded.

    Args:
        name: of a module of keras.datasets.
        instead: the source that needs no network.
    """
    try:
        yield
    except Exception as error:  # keras raises a bare Exception for a failed download
        cause = f"{name} is downloaded once and needs a network, got {' '.join(str(error).split())}"
        raise OSError(f"{cause}; or take the source {instead}") from error


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
    with downloading(name, instead="digits"):
        parts = dataset.load_data()
    for pixels, labels in parts:
        for picture, label in zip(pixels, labels.reshape(-1), strict=True):
            yield picture, classes[label]
