"""The report of a search, and what it says of each hyperparameter's importance, where the truth is known."""

import json

import keras_tuner
import numpy as np
import pyarrow.parquet as pq
import pytest
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from components import _tuner_hparams, _tuner_importance, _tuner_report
from pipeline import curves


def _space():
    space = keras_tuner.HyperParameters()
    space.Float("strong", 1e-4, 1e-1, sampling="log")
    space.Choice("weak", ["a", "b", "c"])
    space.Int("nothing", 1, 100)
    return space.space


def _trials(count, objective):
    """Return rows of a report whose objective is a function of where strong lies in 0..1, and of weak."""
    rows, space = [], _space()
    for number in range(count):
        values = {hp.name: hp.random_sample(1000 * number + i) for i, hp in enumerate(space)}
        place = (np.log10(values["strong"]) + 4) / 3
        rows.append({"hyperparameters": values, "objective": objective(place, values["weak"])})
    return rows


def _importance(count, objective):
    return _tuner_importance.of_trials(_space(), _trials(count, objective))


def test_what_decides_is_important_and_what_does_not_is_not():
    # Over the space, uniformly: variance 4/12 of strong, 0.04 * 2/3 of weak; 93 % and 7 %.
    found = _importance(80, lambda place, weak: 2 * place + 0.2 * "abc".index(weak))
    assert list(found["shares"]) == ["strong", "weak", "nothing"]
    assert found["shares"]["strong"] == pytest.approx(0.93, abs=0.08)
    assert found["shares"]["weak"] == pytest.approx(0.07, abs=0.05)
    assert found["shares"]["nothing"] < 0.02
    assert found["r2"] > 0.9
    assert not found["weak"]


def test_what_two_decide_together_only_is_an_interaction():
    found = _importance(150, lambda place, weak: (place > 0.5) == (weak == "a"))
    assert found["interactions"] > 0.4


@pytest.mark.parametrize(("count", "weak"), [(14, True), (15, False)])
def test_few_trials_are_said_to_be_few(count, weak):
    assert _importance(count, lambda place, _: place)["weak"] is weak


def test_there_is_no_importance_of_too_few_trials_or_of_equal_ones():
    assert _importance(3, lambda place, _: place) is None
    assert _importance(20, lambda *_: 0.5) is None


def test_a_failed_trial_and_one_without_a_hyperparameter_do_no_harm():
    rows = _trials(20, lambda place, _: place)
    rows[0]["objective"] = None
    del rows[1]["hyperparameters"]["nothing"]
    assert _tuner_importance.of_trials(_space(), rows)["trials"] == 19


def test_hyperbands_epochs_count_as_one_of_them():
    rows = _trials(40, lambda place, _: place)
    for number, row in enumerate(rows):
        row["hyperparameters"]["tuner/epochs"] = 1 + number % 2
        row["objective"] = 10 * (number % 2)
    assert next(iter(_tuner_importance.of_trials(_space(), rows)["shares"])) == "epochs"


def _model(hp):
    import keras

    if hp.Choice("network", ["small", "broken", "big"]) == "broken":
        raise ZeroDivisionError("planted")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(hp.Int("units", 1, 4)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), loss="mse")
    return model


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A finished search of eight trials, and its report."""
    from components import _tuner_oracle, _tuner_record

    folder = tmp_path_factory.mktemp("search")
    tuner = keras_tuner.GridSearch(
        _model, objective="val_loss", max_trials=8, directory=str(folder), executions_per_trial=2
    )
    _tuner_oracle.make_lasting(tuner.oracle, None)
    _tuner_record.make_recorded(tuner, seed=1, deadline=float("inf"))
    x = np.ones((8, 1), "float32")
    tuner.search(x, x, validation_data=(x, x), epochs=2, verbose=0)
    report = _tuner_report.make(tuner)
    _tuner_report.write(report, folder)
    _tuner_hparams.write(report, folder, "run-1")
    return folder, report


def test_a_report_tells_each_trial_with_its_curve_and_error(searched):
    folder, report = searched
    assert json.loads((folder / "trials.json").read_text(encoding="utf-8")) == report
    states = {trial["hyperparameters"]["network"]: trial["state"] for trial in report["trials"]}
    assert states == {"small": "completed", "broken": "failed"}
    for trial in report["trials"]:
        if trial["state"] == "failed":
            assert trial["error"] == "ZeroDivisionError: planted"
            assert (trial["objective"], trial["epochs"], trial["curve"]) == (None, 0, [])
        else:
            assert [(point["execution"], point["epoch"]) for point in trial["curve"]] == [
                (0, 1),
                (0, 2),
                (1, 1),
                (1, 2),
            ]
            best = [min(point["val_loss"] for point in trial["curve"] if point["execution"] == e) for e in (0, 1)]
            assert trial["objective"] == pytest.approx(np.mean(best), rel=1e-5)
    objectives = {t["trial"]: t["objective"] for t in report["trials"] if t["objective"] is not None}
    assert report["best"] == min(objectives, key=objectives.get)


def test_a_search_at_work_has_a_report_without_importance_and_the_curve_of_every_trial(searched):
    folder, report = searched
    at_work = folder / "untitled_project"
    so_far = json.loads((at_work / "trials.json").read_text(encoding="utf-8"))
    assert so_far == {key: value for key, value in report.items() if key != "importance"}
    for trial in report["trials"]:
        (written,) = (at_work / "logs" / f"trial_{trial['trial']}").iterdir()
        values = [value for tag, _, value in curves._scalars(written) if tag == "val_loss"]
        assert values == pytest.approx([point["val_loss"] for point in trial["curve"]])


def test_the_trials_are_a_table_for_notebooks(searched):
    folder, report = searched
    table = pq.read_table(folder / "trials.parquet").to_pandas()
    assert list(table["objective"].fillna(-1)) == [t["objective"] or -1 for t in report["trials"]]
    assert list(table["network"]) == [t["hyperparameters"]["network"] for t in report["trials"]]


def test_tensorboard_gets_every_trial_with_its_draw_and_scalars(searched):
    folder, report = searched
    logs = EventMultiplexer().AddRunsFromDirectory(str(folder / "logs")).Reload()
    for trial in report["trials"]:
        run = f"trial_{trial['trial']}"
        content = logs.SummaryMetadata(run, metadata.SESSION_START_INFO_TAG).plugin_data.content
        session = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
        assert session.hparams["network"].string_value == trial["hyperparameters"]["network"]
        assert session.group_name == f"{trial['trial']} of run-1", "trials of other searches have the same numbers"
        if trial["curve"]:
            assert len(logs.Tensors(run, "val_loss")) == 4
