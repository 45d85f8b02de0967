"""`slipway tensorboard`: links under readable names, and mistakes told before it starts.

The real one is started and asked in `tests/end_to_end/test_serving.py`.
"""

import shutil
import socket

import pytest

from pipeline import run_logs, tensorboard
from pipeline.home import Home
from pipeline.runs import StepRecord
from tests.pipeline import small_runs
from tests.pipeline.small_runs import SEARCH, SEARCHING, TRAINING


def links(folder):
    """The folders in which there are links, with where these lead."""
    return {str(path.parent.relative_to(folder)): path.resolve() for path in folder.rglob("*") if path.is_symlink()}


def test_every_file_of_a_training_or_trial_is_linked_below_its_run_and_the_links_follow(watched, tmp_path):
    folder = tmp_path / "links"
    folder.mkdir()
    logs = run_logs.load_all(watched)
    first = {"1-1/trial_0", "1-1/trainer/train", "1-1/trainer/validation"}
    tensorboard.link(folder, logs[:1])
    assert set(links(folder)) == first
    assert links(folder)["1-1/trial_0"] == next((watched.artifacts / SEARCH / "logs/trial_0").iterdir())
    later = watched.artifacts / TRAINING / "train/plugins/profile/today/host.xplane.pb"
    later.parent.mkdir(parents=True)
    later.touch()
    tensorboard.link(folder, run_logs.each_once(logs))
    profile = "1-1/trainer/train/plugins/profile/today"
    assert set(links(folder)) == {*first, profile, "1-3/trainer/train", "1-3/trainer/validation"}
    assert (folder / profile).is_dir()
    assert not (folder / profile).is_symlink(), "the profiler's plugin follows no links to folders"
    small_runs.search_at_work(watched)
    tensorboard.link(folder, run_logs.load_all(watched)[-1:])
    assert {name: path.parent for name, path in links(folder).items()} == {
        "run-4/trial_0": watched.artifacts / SEARCHING / "logs/trial_0"
    }
    shutil.rmtree(watched.artifacts / TRAINING)
    tensorboard.link(folder, run_logs.load_all(watched)[:1])
    assert set(links(folder)) == {"1-1/trial_0"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("smal", "no runs of such a pipeline in {root}, got 'smal'; did you mean 'small'?"),
        ("../runs/small", "no runs of such a pipeline in "),
        ("early", "no logs yet, got 'early'; no run of it has come to its Tuner or Trainer"),
        (
            "old",
            "no logs yet, got 'old'; 1-1 was recorded by an earlier version, without its folders; the next run ",
        ),
        ("small --run 1-9", "--run: no such run of small with logs, got '1-9'; did you mean '1-3'?"),
        ("small --port {taken}", "--port: cannot listen on 127.0.0.1, got {taken}: Address already in use; end "),
        ("small --host nowhere.invalid", "--port: cannot listen on nowhere.invalid, got 6006: "),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(watched, command, arguments, line):
    (watched.root / "runs" / "early").mkdir()
    small_runs.save(Home(watched.root, "old"), "1-1", StepRecord("Trainer", "ran", 1.0))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        values = {"taken": taken.getsockname()[1], "root": watched.root}
        result = command("tensorboard", *arguments.format(**values).split())
    assert result.exit_code == 2, result.output
    assert result.output.startswith("slipway tensorboard: " + line.format(**values))
    assert len(result.output.splitlines()) == 1
    assert not list(watched.root.glob("tensorboard/*")), "nothing was started"
