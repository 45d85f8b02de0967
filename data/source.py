"""What a dataset is: where its raw files are, in which format, and under which licence.

A source knows no TensorFlow and no TFX, so that listing and checking sources is instant.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One named dataset. The file name under `data/sources/` is its name in a config.

    Attributes:
        format: name of a loader under `data/loaders/`, for instance "csv".
        locate: from a folder of its own, which need not exist, to the absolute path or glob of the raw files; a source
            that does not ship as files writes them there once. Raises OSError when they cannot be had.
        rows: how many there are.
        licence: the licence or terms the data come under; never empty.
        origin: who published the data, and where.
        about: the datasheet in one paragraph: what a row is, what the label is, what to beware of.
    """

    format: str
    locate: Callable[[Path], str]
    rows: int
    licence: str
    origin: str
    about: str
