"""What a hook gets of a config."""

import pytest

from pipeline import steps
from tests.conftest import LABELS, pipeline_config


@pytest.mark.parametrize("hook", ["preprocessing_fn", "run_fn"])
def test_the_column_that_weighs_rows_is_no_feature(hook):
    sections = ["label", "features", *(["training"] if hook == "run_fn" else [])]
    plain, weighted = (
        steps._custom_config(pipeline_config(LABELS["binary"], training=training), f"models.tabular.{hook}", *sections)
        for training in ({}, {"sample_weight": "weight"})
    )
    assert "weight" not in plain["features"]["exclude"]
    assert weighted["features"]["exclude"] == sorted([*plain["features"]["exclude"], "weight"])
    assert weighted.get("training", {}).get("sample_weight") == ("weight" if hook == "run_fn" else None)
