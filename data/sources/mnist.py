"""70,000 handwritten digits of 28 x 28 pixels, downloaded once by keras.datasets."""

from pathlib import Path

from data.source import Source
from data.sources._keras_datasets import pictures
from data.sources._picture_files import write_once


def locate(folder: Path) -> str:
    """Return the glob of the PNG files, which are downloaded and written there once. Raises OSError when offline."""
    return write_once(folder, pictures("mnist", [str(digit) for digit in range(10)]))


SOURCE = Source(
    format="images",
    locate=locate,
    rows=70_000,
    licence="CC BY-SA 3.0, as the keras documentation states it; Yann LeCun and Corinna Cortes hold the copyright",
    origin="Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits; by keras.datasets.mnist",
    about=(
        "One row is one handwritten digit: a grey picture of 28 x 28 pixels, white ink on black, and the digit as its "
        "label; 60,000 train and 10,000 test pictures, here in one set that the config splits anew, so that figures do "
        "not compare with published ones to the last digit. Needs a network the first time: 11 MB, then 70,000 files."
    ),
)
