"""The real Apache Airflow runs what `slipway compile --runner airflow` writes, each step in a process of its own."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from pyarrow import csv, parquet

from serving.predictor import Predictor

# Two more tries, at once: a failure that is final must take none of them.
SECTION = {"retries": 2, "retry_delay_minutes": 0.01, "schedule": "@daily", "start_date": "2026-01-01"}
TRAINED = (
    "ExampleGen", "ImportSchemaGen", "StatisticsGen", "ExampleValidator", "DataGate", "Transform", "Trainer", "Doors",
)  # fmt: skip
pytestmark = pytest.mark.timeout(1800)


# Airflow's verdict over schedules: when the first run's interval begins, or an error.
VERDICTS = """
import json, sys

import pendulum
from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable

def first(schedule):
    try:
        timetable = CronDataIntervalTimetable(schedule, timezone="UTC")
        timetable.validate()
        begin = TimeRestriction(earliest=pendulum.datetime(2026, 1, 31), latest=None, catchup=True)
        run = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=begin)
        return run.data_interval.start.isoformat()
    except Exception as error:
        return type(error).__name__

print(json.dumps({schedule: first(schedule) for schedule in sys.argv[1:]}))
"""


def test_airflow_takes_and_refuses_the_schedules_that_slipway_check_takes_and_refuses(environment, tmp_path):
    schedules = yaml.safe_load((Path(__file__).parents[1] / "pipeline" / "airflow_schedules.yaml").read_text())
    done = subprocess.run(
        [environment / "bin" / "python", "-c", VERDICTS, *schedules["taken"], *schedules["refused"]],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    verdicts = json.loads(done.stdout.splitlines()[-1])
    for schedule in schedules["taken"]:
        assert verdicts[schedule].startswith("20"), (schedule, verdicts[schedule])
    for schedule in schedules["refused"]:
        assert verdicts[schedule] == "AirflowTimetableInvalid", (schedule, verdicts[schedule])
    assert verdicts["0 0 * * L5"].startswith("2026-02-27"), "the last Friday of February"


@pytest.fixture(scope="module")
def taxi_rows() -> Path:
    """The real taxi file."""
    from data.sources import taxi

    return Path(taxi.SOURCE.locate(Path()))


def test_a_refused_model_ends_the_run_and_the_next_run_goes_on_from_the_cache_to_a_pushed_one(airflow, taxi_rows):
    scoring = {"rows": str(airflow.folder / "{{ ds }}.csv"), "output": str(airflow.folder / "{{ ds }}.parquet")}
    section = {**SECTION, "scoring": {**scoring, "keep": ["fare", "company"]}}
    airflow.compile(section, **{"evaluation.thresholds": "[{metric: auc, min: 0.999}]"})
    assert "No data found" in airflow("dags", "list-import-errors")
    airflow("dags", "reserialize")
    listed = airflow("dags", "list", "--columns", "dag_id", "--output", "plain").split()
    assert {"taxi", "taxi_scoring"} <= set(listed)

    refused = airflow.run("taxi", "2026-01-01", succeeds=False)
    assert refused.state == "failed"
    assert refused.states["Evaluator"] == "failed"
    assert "AirflowFailException: the model was not blessed" in refused.output
    assert refused.tries["Evaluator"] == 1, "another try would end the same"
    assert refused.states["Pusher"] == "upstream_failed"
    assert refused.states["Finish"] == "success", "the record is written"
    assert {refused.states[name] for name in (*TRAINED, "Baseline")} == {"success"}
    assert airflow.last_run()["exit_code"] == 4
    assert not airflow.pushed()

    airflow.compile(section)
    done = airflow.run("taxi", "2026-01-02")
    assert (done.state, set(done.states.values())) == ("success", {"success"})
    states = {step["name"]: step["state"] for step in airflow.last_run()["steps"]}
    assert states == {**dict.fromkeys(TRAINED, "cached"), "Baseline": "resolved", "Evaluator": "ran", "Pusher": "ran"}
    (version,) = airflow.pushed()

    shutil.copy(taxi_rows, airflow.folder / "2026-01-02.csv")
    assert airflow.run("taxi_scoring", "2026-01-02").state == "success"
    scores = parquet.read_table(airflow.folder / "2026-01-02.parquet")
    assert scores.column_names == ["fare", "company", "probability", "model_version"]
    assert scores["model_version"].unique().to_pylist() == [int(version.name)]
    given = csv.read_csv(taxi_rows, convert_options=csv.ConvertOptions(strings_can_be_null=True))
    assert scores["company"].to_pylist() == given["company"].to_pylist()
    model = Predictor(version)
    rows = given.slice(0, 50).to_pylist()
    missing = {"string": "", "float": np.nan}
    for row, score in zip(rows, scores["probability"].to_pylist(), strict=False):
        columns = {
            name: [missing.get(info.dtype_name, -(2**63)) if row[name] is None else row[name]]
            for name, info in model.signature("").inputs.items()
        }
        assert model.predict(columns)["probability"][0] == pytest.approx(score, abs=1e-6)

    late = airflow.run("taxi_scoring", "2026-01-03", succeeds=False)
    assert late.states == {"Predict": "failed"}
    assert late.tries == {"Predict": 3}, "the rows may still come"
    assert "slipway predict: no file matches, got " in late.output


def test_a_run_reads_the_data_of_its_day_and_refused_data_stop_what_comes_after(airflow, taxi_rows):
    header, *rows = taxi_rows.read_text(encoding="utf-8").splitlines()
    month = header.split(",").index("trip_start_month")
    broken = [",".join("13" if i == month else cell for i, cell in enumerate(row.split(","))) for row in rows[:900]]
    for day, lines in (("20260101", rows[:300]), ("20260102", broken), ("20260103", rows[:600])):
        (airflow.folder / f"day-{day}.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    airflow.compile(SECTION, data=f'{{path: "{airflow.folder}/day-{{YYYY}}{{MM}}{{DD}}.csv"}}')

    refused = airflow.run("taxi", "2026-01-02", succeeds=False)
    assert refused.state == "failed"
    assert "AirflowFailException: the data were refused" in refused.output
    assert (refused.states["DataGate"], refused.tries["DataGate"]) == ("failed", 1)
    assert {refused.states[name] for name in ("Transform", "Trainer", "Doors", "Pusher")} == {"upstream_failed"}
    assert refused.states["Finish"] == "success"
    record = airflow.last_run()
    assert record["exit_code"] == 3
    figures = {step["name"]: step["figure"] for step in record["steps"]}
    counts = re.findall(r"(?:train|eval) ([\d,]+)", figures["StatisticsGen"])
    assert sum(int(count.replace(",", "")) for count in counts) == 900, "the second day's, not the last one's"
