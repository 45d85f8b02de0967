"""From a file that nobody prepared to a pushed model, by two commands and without a hand on the config."""

import numpy as np
import pytest
from sklearn import datasets

from tests.end_to_end.conftest import Slipway

pytestmark = pytest.mark.slow


def test_breast_cancer_with_an_id_a_constant_and_a_copy_of_the_label_runs_as_it_is(tmp_path):
    cancer = datasets.load_breast_cancer(as_frame=True)
    words = np.array(cancer.target_names)[cancer.target]
    frame = cancer.data.assign(diagnosis=words, code=np.where(words == "benign", "B", "M"), hospital="Madison")
    frame.insert(0, "patient", np.random.default_rng(1).permutation(len(frame)) + 840_000)
    frame.to_csv(tmp_path / "cells.csv", index=False)
    slipway, config = Slipway(tmp_path / "home"), tmp_path / "cells.yaml"

    told = slipway("init", str(tmp_path / "cells.csv"), "--label", "diagnosis", "-o", str(config))
    assert "patient: unique in every row" in told
    assert "hospital: constant: Madison in every row" in told
    assert "code: a copy of the label under other names: B is benign, M is malignant" in told

    output = slipway("run", str(config))
    assert "blessed: every threshold holds" in output
    assert "patient" not in (answers := slipway("predict", "cells"))
    assert "mean_radius" in answers
    assert len([path for path in (tmp_path / "home/serving/cells").iterdir() if path.name.isdigit()]) == 1
