"""178 real wines of three cultivars, as scikit-learn ships them."""

from pathlib import Path

from data.source import Source
from data.sources import _csv_file


def locate(folder: Path) -> str:
    """Return the path of the CSV file, which is written at the first call."""
    return _csv_file.written_once(folder / "wine.csv", lambda: _csv_file.of_scikit_learn("wine", "cultivar"))


SOURCE = Source(
    format="csv",
    locate=locate,
    rows=178,
    licence="CC BY 4.0 (UCI Machine Learning Repository, data set 109)",
    origin="M. Forina et al., PARVUS, Genoa; UCI Machine Learning Repository; a copy ships in scikit-learn",
    about=(
        "One row is one wine of a region in Italy: 13 figures of its chemical analysis, alcohol to proline. The label "
        "`cultivar` is class_0 (59), class_1 (71) or class_2 (48). Nothing is missing. The cultivars are nearly "
        "separable, and 178 rows are few: an eval split of a third has 60, and one wine is 1.7 points of accuracy."
    ),
)
