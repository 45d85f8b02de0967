"""334 real penguins of three species, as the tfx package ships them, back in millimetres and grams."""

from collections.abc import Iterator
from pathlib import Path

from data.source import Source
from data.sources import _csv_file, _installed

SPECIES = ("Adelie", "Chinstrap", "Gentoo")
# The authors of TFX scaled each column to 0..1 by its smallest and largest value, which are these.
RANGES = {
    "culmen_length_mm": (32.1, 59.6),
    "culmen_depth_mm": (13.1, 21.5),
    "flipper_length_mm": (172.0, 231.0),
    "body_mass_g": (2700.0, 6300.0),
}


def locate(folder: Path) -> str:
    """Return the path of the CSV file, which is written at the first call."""
    return _csv_file.written_once(folder / "penguins.csv", _table)


def _table() -> _csv_file.Table:
    return [*RANGES, "species"], _rows(_installed.folder("tfx") / "components/testdata/penguin/data")


def _rows(folder: Path) -> Iterator[list[float | str]]:
    import pyarrow as pa

    from data.loaders import tfrecord

    types = {**dict.fromkeys(RANGES, pa.float64()), "species": pa.int64()}
    for path in sorted(folder.glob("Split-*/*.gz")):
        for batch in tfrecord.record_batches(str(path), types):
            for row in batch.to_pylist():
                sizes = [round(low + row[name] * (high - low), 1) for name, (low, high) in RANGES.items()]
                yield [*sizes, SPECIES[row["species"]]]


SOURCE = Source(
    format="csv",
    locate=locate,
    rows=334,
    licence="CC0 1.0, by the data policy of Palmer Station LTER",
    origin="K. Gorman and Palmer Station LTER, Antarctica, 2007 to 2009; shipped by the TFX authors in the tfx package",
    about=(
        "One row is one penguin near Palmer Station: length and depth of its bill (culmen), length of its flippers, "
        "body mass. The label `species` is Adelie (146), Gentoo (120) or Chinstrap (68). Penguins with a missing value "
        "were left out by the TFX authors, and so were island and sex. The species are nearly separable: expect an "
        "accuracy above 97 %, and expect one penguin of the eval split to be one point of it."
    ),
)
