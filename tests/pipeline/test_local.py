"""The local runner, where no step needs to run."""

from pathlib import Path

from pipeline import config_file, runs
from pipeline.home import Home
from pipeline.options import RunOptions
from pipeline.runners import local

CONFIG = Path(__file__).parents[2] / "configs" / "taxi.yaml"


def test_an_interrupt_in_the_first_step_is_a_line_and_an_unfinished_step(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(local, "_run_step", interrupted)
    home = Home(tmp_path, "taxi")
    assert local.run(config_file.read(CONFIG, [], tmp_path), home, RunOptions()) == 1
    (record,) = runs.load_all(home)
    assert record.error == ["taxi: interrupted; the same command goes on from the last finished step"]
    assert [(step.name, step.state) for step in record.steps] == [("ExampleGen", "unfinished")]
