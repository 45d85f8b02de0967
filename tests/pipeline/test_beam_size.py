"""How many Beam workers data get: several where there are cores and rows enough for them."""

from pathlib import Path

import pytest

from pipeline import beam_size, build, config_file
from pipeline.home import Home

CONFIG = Path(__file__).parents[2] / "configs" / "taxi.yaml"


@pytest.mark.parametrize(("cores", "size_mb", "workers"), [(8, 99, 1), (1, 1000, 1), (2, 100, 2), (64, 1000, 8)])
def test_cores_and_size_decide(cores, size_mb, workers, tmp_path, monkeypatch):
    monkeypatch.setattr(beam_size, "cpus", lambda: cores)
    monkeypatch.setattr(beam_size, "size_mb", lambda file: size_mb)
    assert beam_size.workers(config_file.read(CONFIG, [], tmp_path)) == workers


def test_the_files_are_not_looked_at_for_one_core_and_once_for_all_steps(tmp_path, monkeypatch):
    file = config_file.read(CONFIG, [], tmp_path)
    asked = []
    monkeypatch.setattr(beam_size, "size_mb", lambda file: asked.append(file) or 1)
    for cores, times in ((1, 0), (2, 1)):
        monkeypatch.setattr(beam_size, "cpus", lambda cores=cores: cores)
        build.nodes(file, Home(tmp_path, "taxi"))
        assert len(asked) == times


def test_the_size_is_that_of_all_files(tmp_path):
    file = config_file.read(CONFIG, [], tmp_path)
    (path,) = (Path(one) for found in file.inputs.patterns.values() for one in found)
    assert beam_size.size_mb(file) == path.stat().st_size / 1e6 > 1
