"""What every plug-in of a folder must offer."""

import inspect
import re
from pathlib import Path

import pytest

from pipeline import config_file, hooks, names

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("name", names.plug_ins("data.sources"))
def test_a_source_has_a_licence_an_origin_a_datasheet_and_files(name, tmp_path):
    source = names.load("data.sources", name).SOURCE
    assert source.licence.strip()
    assert source.origin.strip()
    assert len(source.about.split()) > 20
    try:
        pattern = source.locate(tmp_path / name)
    except OSError as error:
        reason = str(error)
    else:
        assert names.load("data.loaders", source.format).matching_files(pattern)
        return
    assert re.search("^[^\n]* needs the network once$", reason)
    pytest.skip(reason)


@pytest.mark.parametrize("name", names.plug_ins("data.loaders"))
def test_a_loader_reads_names_and_makes_a_node(name):
    loader = names.load("data.loaders", name)
    assert list(inspect.signature(loader.load).parameters) == ["pattern", "output_config", "options"]
    assert callable(loader.column_names)
    assert callable(loader.matching_files)
    assert all(isinstance(module, str) for module in loader.MODULES)


@pytest.mark.parametrize("name", names.plug_ins("pipeline.runners"))
def test_a_runner_runs_a_checked_config(name):
    runner = names.load("pipeline.runners", name)
    assert list(inspect.signature(runner.run).parameters) == ["file", "home", "options"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_config_is_valid_and_its_model_has_its_hooks(path):
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert hooks.mistakes(config_file.read(path).config) == []
