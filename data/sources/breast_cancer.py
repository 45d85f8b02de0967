"""569 real biopsies, benign or malignant, as scikit-learn ships them."""

from data.source import Source
from data.sources import _scikit_learn

SOURCE = Source(
    format="csv",
    locate=_scikit_learn.table("breast_cancer", "diagnosis"),
    rows=569,
    licence="CC BY 4.0 (UCI Machine Learning Repository, data set 17)",
    origin="W. Wolberg, W. Street and O. Mangasarian, University of Wisconsin, 1995; a copy ships in scikit-learn",
    about=(
        "One row is one fine needle aspirate of a breast mass: mean, standard error and worst value of ten figures of "
        "its cell nuclei, radius to fractal dimension. The label `diagnosis` is benign (357) or malignant (212). "
        "Nothing is missing. Radius, perimeter and area say nearly the same. For learning, not for diagnosis."
    ),
)
