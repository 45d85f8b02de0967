"""A model's hooks are imported and looked at before anything starts."""

import sys

import pytest

from pipeline import hooks
from tests.conftest import LABELS, pipeline_config

PREPROCESSING = "def preprocessing_fn(inputs, custom_config): ...\n"
RUN = "def run_fn(fn_args): ...\n"
TUNER = {"space": {"units": {"choice": [1]}}}


def _config(name, **sections):
    return pipeline_config(LABELS["binary"], model={"name": name}, **sections)


@pytest.fixture
def mistakes(tmp_path, monkeypatch):
    """Return a function from the text of a module to what is wrong with its hooks."""
    (tmp_path / "nets_of_a_test").mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    def found(text, **sections):
        (tmp_path / "nets_of_a_test/deep.py").write_text(text)
        return hooks.mistakes(_config("nets_of_a_test.deep", **sections))

    yield found
    for name in ("nets_of_a_test", "nets_of_a_test.deep"):
        sys.modules.pop(name, None)


def test_a_plain_name_is_a_model_of_ours_and_a_dotted_one_stands_for_itself():
    assert hooks.dotted(_config("tabular"), "run_fn") == "models.tabular.run_fn"
    assert hooks.dotted(_config("my.nets.deep"), "run_fn") == "my.nets.deep.run_fn"


def test_good_hooks_have_no_mistakes(mistakes):
    assert mistakes(PREPROCESSING + RUN) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (RUN, "lacks a function preprocessing_fn, got none; there are run_fn"),
        (PREPROCESSING + "def run_fm(fn_args): ...", "lacks a function run_fn, got none; did you mean 'run_fm'?"),
        (PREPROCESSING + "run_fn = 3", "lacks a function run_fn, got none; "),
        (
            PREPROCESSING + "def run_fn(args, more): ...",
            "run_fn takes other arguments, got (args, more); write (fn_args)",
        ),
        ("import numpie", "cannot be imported, got ModuleNotFoundError: No module named 'numpie' ("),
        ("def run_fn(:", "cannot be imported, got SyntaxError: "),
    ],
)
def test_a_broken_module_gives_one_line(mistakes, text, line):
    (found,) = mistakes(text)
    assert found.startswith("model.name: nets_of_a_test.deep")
    assert line in found


def test_an_error_at_import_is_told_with_its_line(mistakes):
    (found,) = mistakes("x = 0\n1 / x\n")
    assert "ZeroDivisionError: division by zero" in found
    assert "deep.py:2); see the line named there" in found


def test_a_tuner_is_only_needed_for_a_search(mistakes):
    (found,) = mistakes(PREPROCESSING + RUN, tuner=TUNER)
    assert "lacks a function tuner_fn" in found


@pytest.mark.parametrize(
    ("algorithm", "line"),
    [
        ("models._batch_size_tuner.BatchSizeTuner", None),
        ("keras_tuner.Hyperband", None),
        ("keras_tuner.HyperModel", "no subclass of keras_tuner.Tuner, got 'keras_tuner.HyperModel'; derive one"),
        ("keras_tuner.Bayes", "no subclass of keras_tuner.Tuner, got 'keras_tuner.Bayes'; derive one"),
        ("my.tuners.Own", "my.tuners cannot be imported, got ModuleNotFoundError: No module named 'my'"),
    ],
)
def test_a_tuner_of_ones_own_is_looked_at(mistakes, algorithm, line):
    found = mistakes(PREPROCESSING + RUN + "def tuner_fn(fn_args): ...", tuner={**TUNER, "algorithm": algorithm})
    assert len(found) == (line is not None)
    assert not line or line in found[0]


@pytest.mark.parametrize("broken", [False, True])
def test_an_installation_that_cannot_search_on_vertex_ai_says_so_in_one_line(mistakes, monkeypatch, broken):
    vertex = {"project": "mine", "region": "europe-west4", "image": "a/b:1"}
    if broken:
        monkeypatch.delitem(sys.modules, "components._tuner_vertex", raising=False)
        monkeypatch.setitem(sys.modules, "tfx.extensions.google_cloud_ai_platform.tuner", None)
    found = mistakes(PREPROCESSING + RUN + "def tuner_fn(fn_args): ...\n", tuner={**TUNER, "vertex": vertex})
    assert len(found) == broken
    for line in found:
        assert line.startswith("tuner.vertex: TFX's extension cannot be imported, got ")


UNKNOWN = "nets_of_a_test.deep has no such hyperparameter"


@pytest.mark.parametrize(
    ("defaults", "lines"),
    [
        ("", []),
        (
            "DEFAULTS = {'units': 3}\n",
            [
                f"tuner.space: {UNKNOWN}, got 'unit'; did you mean 'units'?",
                f"training.distillation.student: {UNKNOWN}, got 'batch_size'; there are units",
            ],
        ),
    ],
)
def test_a_hyperparameter_that_the_model_does_not_have_is_told_at_each_place(mistakes, defaults, lines):
    found = mistakes(
        PREPROCESSING + RUN + "def tuner_fn(fn_args): ...\n" + defaults,
        tuner={"space": {"unit": {"choice": [1]}, "batch_size": {"choice": [8]}}},
        training={"distillation": {"student": {"units": 1, "batch_size": 8}}},
    )
    assert found == lines
