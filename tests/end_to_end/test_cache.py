"""What runs again after which change."""

import re
import resource
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ran(states: dict[str, str]) -> set[str]:
    return {name for name, state in states.items() if state == "ran"}


def test_a_second_run_with_nothing_changed_executes_nothing(pushed):
    before, began = pushed.served(), _seconds_of_children()
    pushed.apart(*pushed.quick())
    # Processor time: a busy machine must not fail the test.
    assert _seconds_of_children() - began <= 15
    assert _ran(pushed.states()) == set()
    assert pushed.served() == before


def test_an_edited_network_trains_again_and_reads_the_data_no_more(pushed, in_copy):
    edited = in_copy(lambda root: _replace(root / "models/tabular.py", "layers.add(parts)", "layers.average(parts)"))
    edited.run()
    assert _ran(edited.states()) == {"Tuner", "Trainer", "Doors", "Evaluator", "Pusher"}


def test_an_edited_preprocessing_transforms_again(pushed, in_copy):
    edited = in_copy(lambda root: _replace(root / "models/_transforms.py", "tf.math.log1p", "tf.math.asinh"))
    edited.run()
    assert _ran(edited.states()) == {"Transform", "Tuner", "Trainer", "Doors", "Evaluator", "Pusher"}


def test_the_baseline_and_the_warm_start_are_the_blessed_model_before_and_never_the_candidate(pushed):
    changes = ("--set", "model.hyperparameters.dropout=0.3", "--set", "training.warm_start=true")
    pushed.run(*changes, "--from", "Trainer")
    told = "\n".join(line for step in pushed.last_run()["steps"] for line in step["lines"])
    assert "against baseline" in told
    assert re.search(r"warm start: (\d+) of \1 weights taken\n", told), "the training begins with that model"
    pushed.run(*changes)
    assert _ran(pushed.states()) == set(), "the model blessed a moment ago is not compared with itself, nor trained on"


def test_a_deleted_version_is_pushed_again(pushed):
    pushed.run()
    shutil.rmtree(pushed.home / "serving")
    output = pushed.run()
    assert _ran(pushed.states()) == {"Pusher"}, output
    assert pushed.served()
