"""Names are file names, and a near miss is told."""

import sys

import pytest

from pipeline import names


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with two plug-ins, one of which cannot be imported, and a module for itself."""
    folder = tmp_path / "plugs_of_a_test"
    folder.mkdir()
    for name, text in {"__init__": "", "zoo": "ANIMALS = 3", "broken": "1 / 0", "_shared": ""}.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder.name
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_plug_ins_are_the_modules_without_an_underscore_and_are_not_imported(package):
    assert names.plug_ins(package) == ["broken", "zoo"]


def test_a_plug_in_is_loaded_by_its_file_name(package):
    assert names.load(package, "zoo").ANIMALS == 3


def test_a_plug_in_that_is_not_there_is_told_with_the_nearest(package):
    with pytest.raises(ValueError, match=f"no such module in {package}/, got 'zooo'; did you mean 'zoo'"):
        names.load(package, "zooo")


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("acuracy", ["auc", "accuracy"], "did you mean 'accuracy'?"),
        ("zebra", ["mse", "auc"], "there are auc, mse"),
        ("x", [], "there are none"),
    ],
)
def test_a_hint_is_the_nearest_name_or_all_names(name, known, hint):
    assert names.suggestion(name, known) == hint
    with pytest.raises(ValueError, match="no such metric, got"):
        names.require(name, known, what="metric")


def test_a_known_name_passes():
    names.require("auc", iter(["auc"]), what="metric")
