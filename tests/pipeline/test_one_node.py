"""What an orchestrator sends to `slipway node`, and the record of a run whose steps ran apart."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline import history, one_node, runs
from pipeline.cli import slipway
from pipeline.errors import ConfigError, SetupError
from pipeline.home import Home

CONFIG = Path(__file__).parents[2] / "configs" / "taxi.yaml"
STEPS = ["ExampleGen", "Trainer", "Evaluator", "Pusher"]


@pytest.fixture
def file(tmp_path):
    return one_node.read(CONFIG, tmp_path, one_node.Sent(sets='["training.epochs=7"]'))


def recorded(home, **exit_codes):
    """Write the records of steps as their processes do."""
    for name, code in exit_codes.items():
        state = "failed" if code not in (0, 4) else "ran"
        runs.save_step(home, "r-1", runs.StepRecord(name, state, 2.0, lines=[f"{name}: told"], exit_code=code))


def test_the_text_that_is_sent_stands_for_the_file_and_its_paths_are_still_relative_to_it(tmp_path):
    text = CONFIG.read_text().replace("epochs: 20", "epochs: 5")
    assert text != CONFIG.read_text()
    sent = one_node.Sent(text, overrides=("training.batch_size=64",), sets='["training.patience=1"]', span="")
    training = one_node.read(CONFIG, tmp_path, sent).config.training
    assert (training.epochs, training.batch_size, training.patience) == (5, 64, 1)
    absent = CONFIG.with_name("absent.yaml")
    assert one_node.read(absent, tmp_path, sent).schema_path == CONFIG.with_name("taxi.schema.pbtxt")
    with pytest.raises(ConfigError, match=r"absent\.yaml:\d+: training\.epochs"):
        one_node.read(absent, tmp_path, one_node.Sent(text.replace("epochs: 5", "epochs: none")))


def test_the_schema_that_is_sent_takes_the_place_of_the_one_in_the_image(tmp_path):
    schema = CONFIG.with_name("taxi.schema.pbtxt").read_text() + "# sent\n"
    paths = {one_node.read(CONFIG, tmp_path, one_node.Sent(schema_text=schema)).schema_path for _ in range(2)}
    (path,) = paths
    assert path.read_text() == schema
    assert path.is_relative_to(tmp_path)
    without = one_node.read(CONFIG, tmp_path, one_node.Sent(overrides=("schema=null",), schema_text=""))
    assert without.schema_path is None


@pytest.mark.parametrize("sets", ["training.epochs=3", "{}", "[3]"])
def test_sets_that_are_no_list_of_overrides_are_told(sets, tmp_path):
    with pytest.raises(SetupError, match="--sets: no JSON list of overrides, got"):
        one_node.read(CONFIG, tmp_path, one_node.Sent(sets=sets))


@pytest.mark.parametrize(
    ("exit_codes", "code", "told"),
    [
        (dict.fromkeys(STEPS, 0), 0, []),
        ({"ExampleGen": 3}, 3, ["ExampleGen: told", "taxi: never started: Trainer, Evaluator, Pusher"]),
        ({"ExampleGen": 0, "Trainer": 0, "Evaluator": 4}, 4, ["taxi: never started: Pusher"]),
        ({"ExampleGen": 0}, 1, ["taxi: never started: Trainer, Evaluator, Pusher"]),
    ],
)
def test_the_record_of_a_run_is_that_of_its_steps(exit_codes, code, told, file, tmp_path):
    home = Home(tmp_path, "taxi")
    recorded(home, **exit_codes)
    assert one_node.finish(file, home, "r-1", STEPS) == 0
    (run,) = runs.load_all(home)
    assert (run.exit_code, run.error) == (code, told)
    assert [step.name for step in run.steps] == [name for name in STEPS if name in exit_codes]
    assert run.run_id.endswith("-r-1")
    assert run.overrides == ["training.epochs=7"]
    assert run.seconds >= 2
    assert history.OUTCOMES[code] in "\n".join(history.lines(tmp_path, "taxi", 10))


def test_a_step_is_needed(tmp_path):
    arguments = ["node", "--config", str(CONFIG), "--run-id", "one", "--home", str(tmp_path)]
    result = CliRunner().invoke(slipway, arguments)
    assert result.exit_code == 2
    assert result.output == "slipway node: no step, got no --node; name one, or --finish\n"


def test_the_command_finishes_a_run(tmp_path):
    recorded(Home(tmp_path, "taxi"), **dict.fromkeys(STEPS, 0))
    arguments = [
        "node",
        "--config",
        str(CONFIG),
        "--run-id",
        "r-1",
        "--home",
        str(tmp_path),
        "--finish",
        ",".join(STEPS),
    ]
    result = CliRunner().invoke(slipway, arguments)
    assert result.exit_code == 0
    assert result.output.rstrip().endswith("-r-1: ended with exit code 0")
    assert len(json.loads(next((tmp_path / "runs" / "taxi").glob("*/run.json")).read_text())["steps"]) == len(STEPS)
