"""60,000 colour pictures of 32 x 32 pixels in ten classes, downloaded once by keras.datasets."""

from pathlib import Path

from data.source import Source
from data.sources._keras_datasets import pictures
from data.sources._picture_files import write_once

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def locate(folder: Path) -> str:
    """Return the glob of the PNG files, which are downloaded and written there once. Raises OSError when offline."""
    return write_once(folder, pictures("cifar10", CLASSES))


SOURCE = Source(
    format="images",
    locate=locate,
    rows=60_000,
    licence="No licence stated by its authors; they ask to cite the report below. Check before commercial use",
    origin="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009; by keras.datasets.cifar10",
    about=(
        "One row is one colour photograph of 32 x 32 pixels and what it shows, one of ten classes of animals and "
        "vehicles; 50,000 train and 10,000 test pictures, 6,000 of each class, here in one set that the config splits "
        "anew. About one picture in thirty of the test part has a near copy in the train part. Needs a network the "
        "first time: 170 MB, then 60,000 files."
    ),
)
