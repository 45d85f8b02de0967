"""The Trainer's hook gets a folder that outlives a failure, and not a success."""

import os

import pytest
from tfx.types import standard_artifacts

from components import _trainer

HOOK = """
import os

def run_fn(fn_args):
    os.makedirs(fn_args.working_dir, exist_ok=True)
    with open(os.path.join(fn_args.working_dir, "journal"), "a") as file:
        file.write("begun ")
    with open(os.path.join(fn_args.working_dir, "journal")) as file:
        os.environ["JOURNAL"] = file.read() + fn_args.working_dir
    if fn_args.custom_config["fails"]:
        raise ZeroDivisionError("planted")
    os.makedirs(fn_args.serving_model_dir)
"""


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Return a function that runs the executor, as one of several executions, and gives what the hook found."""
    (tmp_path / "small_hook.py").write_text(HOOK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("JOURNAL", "")

    def run(execution, *, fails="", examples="1"):
        inputs = {"examples": [standard_artifacts.Examples()], "transform_graph": [standard_artifacts.TransformGraph()]}
        inputs["examples"][0].uri, inputs["examples"][0].split_names = str(tmp_path / examples), '["train", "eval"]'
        outputs = {"model": [standard_artifacts.Model()], "model_run": [standard_artifacts.ModelRun()]}
        for key, (artifact,) in outputs.items():
            artifact.uri = str(tmp_path / "Trainer" / key / execution)
        properties = {
            "run_fn": "small_hook.run_fn", "train_args": "{}", "eval_args": "{}",
            "custom_config": f'{{"fails": "{fails}"}}',
        }  # fmt: skip
        _trainer.Executor().Do(inputs, outputs, properties)
        return os.environ["JOURNAL"].split()

    return run


def test_a_training_that_failed_finds_what_it_kept_and_one_that_succeeded_leaves_nothing(train, tmp_path, monkeypatch):
    with pytest.raises(ZeroDivisionError, match="planted"):
        train("1", fails="yes")
    with pytest.raises(ZeroDivisionError, match="planted"):
        train("2", fails="yes")
    assert os.environ["JOURNAL"].split()[:-1] == ["begun", "begun"]
    assert train("3")[:-1] == ["begun"], "another config is another training"
    kept = tmp_path / "Trainer" / ".system" / "training"
    assert [str(path) for path in kept.iterdir()] != [train("4")[-1]]
    assert len(list(kept.iterdir())) == 1, "what failed is kept, what succeeded is not"


def test_other_data_are_another_training(train):
    assert train("1")[-1] == train("2")[-1]
    assert train("3", examples="2")[-1] != train("4")[-1]
