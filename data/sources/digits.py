"""1,797 real handwritten digits of 8 x 8 pixels, as the scikit-learn package ships them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.source import Source
from data.sources._picture_files import write_once

# The ink of a pixel is counted from 0 to 16.
INK = 16


def locate(folder: Path) -> str:
    """Return the glob of the PNG files, which are written there once."""
    return write_once(folder, _pictures())


def _pictures() -> Iterator[tuple[Any, str]]:
    import numpy as np
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = np.rint(digits.images * (255 / INK)).astype(np.uint8)
    yield from zip(pixels, map(str, digits.target), strict=True)


SOURCE = Source(
    format="images",
    locate=locate,
    rows=1797,
    licence="CC BY 4.0 (UCI Machine Learning Repository); scikit-learn, which ships the file, is BSD-3-Clause",
    origin=(
        "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998; "
        "its test part, shipped inside the scikit-learn package"
    ),
    about=(
        "One row is one handwritten digit: a grey picture of 8 x 8 pixels, white ink on black, and the digit as its "
        "label; 1,797 pictures, 174 to 183 of each digit. 13 people wrote them; who wrote which is not known, so that "
        "a split puts the same hand into train and eval, and digits of other people will be read less well. "
        "Written once as PNG files, with ink from 0 to 16 spread over 0 to 255."
    ),
)
