"""178 real wines of three cultivars, as scikit-learn ships them."""

from data.source import Source
from data.sources import _scikit_learn

SOURCE = Source(
    format="csv",
    locate=_scikit_learn.table("wine", "cultivar"),
    rows=178,
    licence="CC BY 4.0 (UCI Machine Learning Repository, data set 109)",
    origin="M. Forina et al., PARVUS, Genoa; UCI Machine Learning Repository; a copy ships in scikit-learn",
    about=(
        "One row is one wine of a region in Italy: 13 figures of its chemical analysis, alcohol to proline. The label "
        "`cultivar` is class_0 (59), class_1 (71) or class_2 (48). Nothing is missing. The cultivars are nearly "
        "separable, and 178 rows are few: an eval split of a third has 60, and one wine is 1.7 points of accuracy."
    ),
)
