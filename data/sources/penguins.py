"""334 real penguins of three species, as the tfx package ships them, back in millimetres and grams."""

import gzip
import importlib.util
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from data.source import Source
from data.sources import _csv_file

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
    spec = importlib.util.find_spec("tfx")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'tfx'")
    folder = Path(spec.submodule_search_locations[0]) / "components/testdata/penguin/data"
    rows = [_row(record) for path in sorted(folder.glob("Split-*/*.gz")) for record in _records(path)]
    return [*RANGES, "species"], rows


def _records(path: Path) -> Iterator[bytes]:
    """Yield the records of a gzipped TFRecord file: length, checksum, record, checksum."""
    with gzip.open(path) as file:
        while head := file.read(12):
            yield file.read(int.from_bytes(head[:8], "little"))
            file.read(4)


def _row(example: bytes) -> list[float | str]:
    """Return the columns of one serialized tf.Example; TensorFlow would take seconds to import for this."""
    row: list[float | str] = []
    for name, (low, high) in RANGES.items():
        # The name, then a Feature with a FloatList of one packed number.
        found = re.search(name.encode() + rb"\x12.\x12.\n\x04(....)", example, re.DOTALL)
        assert found is not None, "the file belongs to a pinned package"
        row.append(round(low + struct.unpack("<f", found[1])[0] * (high - low), 1))
    # An Int64List of one number below 128.
    species = re.search(rb"species\x12.\x1a.\n\x01(.)", example, re.DOTALL)
    assert species is not None, "the file belongs to a pinned package"
    return [*row, SPECIES[species[1][0]]]


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
