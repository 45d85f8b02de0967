"""What every plug-in of a folder must offer."""

import dataclasses
import inspect
from pathlib import Path

import pytest

from pipeline import config_file, data_config, hooks, names, runners
from tests.conftest import LABELS, pipeline_config

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


def lacks(source):
    """What a source leaves out of what people must know before they use it."""
    told = {"licence": source.licence.strip(), "origin": source.origin.strip(), "rows": source.rows > 0}
    return [name for name, there in told.items() if not there] + ["about"] * (len(source.about.split()) <= 20)


@pytest.mark.parametrize("name", names.plug_ins("data.sources"))
def test_a_source_has_a_licence_an_origin_a_datasheet_and_files(name, tmp_path):
    source = names.load("data.sources", name).SOURCE
    assert lacks(source) == []
    pattern, refusal = "", ""
    try:
        pattern = source.locate(tmp_path / name)
    except OSError as error:
        refusal = str(error)
    if refusal:
        assert "needs a network" in refusal
        assert "\n" not in refusal
        assert not (tmp_path / name).exists()
        return
    assert names.load("data.loaders", source.format).matching_files(pattern)


@pytest.mark.parametrize(("field", "value"), [("licence", " "), ("origin", ""), ("rows", 0), ("about", "Some rows.")])
def test_a_source_that_leaves_something_out_is_refused(field, value):
    assert lacks(dataclasses.replace(names.load("data.sources", "taxi").SOURCE, **{field: value})) == [field]


@pytest.mark.parametrize("name", names.plug_ins("data.loaders"))
def test_a_loader_makes_a_node_checks_its_options_and_names_its_code(name):
    loader = names.load("data.loaders", name)
    assert list(inspect.signature(loader.load).parameters) == ["inputs", "output_config", "options"]
    assert loader.__name__ in loader.MODULES
    for check in loader.OPTIONS.values():
        with pytest.raises(ValueError, match=r"got .*; "):
            check({})


@pytest.mark.parametrize("name", [name for name in names.plug_ins("data.loaders") if name != data_config.QUERIED])
def test_a_loader_of_files_reads_them_as_columns(name):
    loader = names.load("data.loaders", name)
    parameters = {
        key: list(inspect.signature(getattr(loader, key)).parameters)
        for key in ("matching_files", "column_names", "column_types", "record_batches")
    }
    assert parameters["matching_files"][0] == "path"
    assert parameters["column_names"] == ["path", "options"]
    assert parameters["column_types"] == ["paths", "options"]
    assert parameters["record_batches"] == ["path", "types", "options"]
    assert not hasattr(loader, "unusable") or list(inspect.signature(loader.unusable).parameters) == [
        "paths",
        "options",
    ]


@pytest.mark.parametrize("name", names.plug_ins("pipeline.runners"))
def test_a_runner_runs_a_checked_config_or_compiles_it(name):
    runner = names.load("pipeline.runners", name)
    wanted = {"run": ["file", "home", "options"], "compile": ["file", "home", "output"]}
    assert set(runners.FUNCTIONS) == set(wanted)
    offered = {
        what: list(inspect.signature(getattr(runner, what)).parameters) for what in wanted if hasattr(runner, what)
    }
    assert offered
    assert offered == {what: wanted[what] for what in offered}


@pytest.mark.parametrize("name", names.plug_ins("models"))
def test_a_model_has_its_hooks_and_a_space_of_its_own(name):
    config = pipeline_config(LABELS["binary"], model={"name": name}, training={}, tuner={"max_trials": 1})
    assert hooks.mistakes(config) == []
    completed = hooks.completed(config)
    assert completed.tuner.space
    assert completed.tuner.max_trials == 1


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_config_is_valid_and_its_model_has_its_hooks(path):
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert hooks.mistakes(config_file.read(path).config) == []
