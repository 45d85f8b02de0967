"""How many Beam workers data get: several where there are cores and rows enough for them."""

from pathlib import Path

import pytest

from pipeline import beam_size, config_file

CONFIG = Path(__file__).parents[2] / "configs" / "taxi.yaml"


@pytest.mark.parametrize(("cores", "size_mb", "workers"), [(8, 99, 1), (1, 1000, 1), (2, 100, 2), (64, 1000, 8)])
def test_cores_and_size_decide(cores, size_mb, workers, tmp_path, monkeypatch):
    monkeypatch.setattr(beam_size, "cpus", lambda: cores)
    monkeypatch.setattr(beam_size, "size_mb", lambda file: size_mb)
    assert beam_size.workers(config_file.read(CONFIG, [], tmp_path)) == workers


def test_the_size_is_that_of_all_files(tmp_path):
    file = config_file.read(CONFIG, [], tmp_path)
    (path,) = (Path(one) for found in file.inputs.patterns.values() for one in found)
    assert beam_size.size_mb(file) == path.stat().st_size / 1e6 > 1
