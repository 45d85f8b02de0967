"""442 real patients with diabetes and the progression of their disease, as scikit-learn ships them."""

from data.source import Source
from data.sources import _scikit_learn

SOURCE = Source(
    format="csv",
    locate=_scikit_learn.table("diabetes", "progression", whole=("sex",), scaled=False),
    rows=442,
    licence="none is stated: published with the paper for free use; scikit-learn ships a copy under BSD-3-Clause",
    origin="B. Efron, T. Hastie, I. Johnstone, R. Tibshirani: Least Angle Regression, Annals of Statistics 32 (2004)",
    about=(
        "One row is one patient: age in years, sex (1 or 2), body mass index, blood pressure and six figures of blood "
        "serum (s1 total cholesterol, s2 LDL, s3 HDL, s4 their ratio, s5 log of triglycerides, s6 blood sugar). The "
        "label `progression` is the state of the disease one year later, 25 to 346. Nothing is missing. Ten figures "
        "explain about half of its variance, whatever the model. For learning about pipelines, not for medicine."
    ),
)
