"""What a config compiles to for Apache Airflow. `make airflow` runs such files in the real one."""

import ast
import json
import re
import shlex
import sys
import types
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from pipeline import config_file, orchestration
from pipeline.errors import ConfigError, SetupError
from pipeline.home import Home
from pipeline.runners import airflow

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "taxi.yaml"
SECTION = yaml.safe_load((Path(__file__).parent / "airflow.yaml").read_text())
SCHEDULES = yaml.safe_load((Path(__file__).parent / "airflow_schedules.yaml").read_text())
NIGHT = datetime(2026, 1, 31, 3, tzinfo=UTC), datetime(2026, 2, 1, 3, tzinfo=UTC)


class Recorded:
    """Stands where Airflow's classes do, and keeps what it was made with: Airflow itself is not installed here."""

    def __init__(self, *values, **settings):
        self.values, self.settings, self.before = values, settings, []
        self.task_id = settings.get("task_id")
        self.is_teardown = False
        made.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def set_upstream(self, tasks):
        self.before += [task.task_id for task in tasks]

    def as_teardown(self):
        self.is_teardown = True


made = []


@pytest.fixture
def executed(monkeypatch):
    """Return a function that runs a written file against recording classes, and gives its names and what it made."""
    for name, members in {
        "airflow": (), "airflow.sdk": ("DAG", "BaseOperator", "CronDataIntervalTimetable", "Param"),
        "airflow.sdk.exceptions": (), "airflow.providers": (), "airflow.providers.standard": (),
        "airflow.providers.standard.hooks": (), "airflow.providers.standard.hooks.subprocess": ("SubprocessHook",),
    }.items():  # fmt: skip
        module = types.ModuleType(name)
        for member in members:
            setattr(module, member, type(member, (Recorded,), {}))
        monkeypatch.setitem(sys.modules, name, module)
    exceptions = sys.modules["airflow.sdk.exceptions"]
    exceptions.AirflowException = type("AirflowException", (Exception,), {})
    exceptions.AirflowFailException = type("AirflowFailException", (exceptions.AirflowException,), {})

    def run(path):
        made.clear()
        found = {"__name__": path.stem}
        exec(compile(path.read_text(), str(path), "exec"), found)
        return types.SimpleNamespace(**found, made=list(made))

    return run


def written(section, tmp_path, *overrides, path=CONFIG, span=None):
    """The file that a config compiles to."""
    file = config_file.read(path, [f"airflow={json.dumps(section, default=str)}", *overrides], tmp_path, span)
    output = tmp_path / "dags" / "taxi.py"
    lines = airflow.compile(file, Home(tmp_path, file.config.name), output)
    return types.SimpleNamespace(file=file, output=output, lines=lines, source=output.read_text())


@pytest.fixture(scope="module")
def on_airflow(tmp_path_factory):
    """The taxi config with a full section."""
    return written(SECTION, tmp_path_factory.mktemp("airflow"), "training.epochs=3")


def tasks(dag_file):
    return {one.task_id: one for one in dag_file.made if one.task_id}


def test_the_file_imports_nothing_but_airflow(on_airflow):
    names = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(ast.parse(on_airflow.source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert names - set(sys.stdlib_module_names) == {"airflow"}
    assert on_airflow.lines[0].startswith(f"{on_airflow.output}: DAG taxi with 14 steps, and taxi_scoring; ")
    assert on_airflow.source.startswith("# Pipeline taxi for Apache Airflow 3, or 2.11, from ")


def test_the_arrows_are_those_of_the_steps(on_airflow, executed):
    found = tasks(executed(on_airflow.output))
    arrows = {name: sorted(task.before) for name, task in found.items()}
    steps = orchestration.upstream(on_airflow.file)
    assert arrows == {**steps, "Finish": sorted(steps), "Predict": []}
    assert [name for name, task in found.items() if task.is_teardown] == ["Finish"], "it does not decide the run"


def test_a_step_is_one_slipway_node_with_the_config_of_the_file(on_airflow, executed):
    dag_file = executed(on_airflow.output)
    place = ["--config", "configs/taxi.yaml", "--home", "/var/lib/slipway"]
    found = tasks(dag_file)
    assert shlex.split(SECTION["command"]) == dag_file.SLIPWAY
    assert dag_file.WORKING_DIR == "/slipway"
    assert found["Evaluator"].arguments == ["node", "--node", "Evaluator", *place]
    assert found["Trainer"].arguments == ["node", "--node", "Trainer", "--no-cache", *place]
    assert found["Finish"].arguments[:2] == ["node", "--finish"]
    assert found["Finish"].arguments[2].split(",") == list(orchestration.upstream(on_airflow.file))
    context = {"run_id": "scheduled__2026-01-31T03:00:00+00:00/..", "params": {"span": "", "overrides": ["a=1"]}}
    words = dag_file.sent(context)
    sent = dict(zip(words[::2], words[1::2], strict=True))
    assert sent["--run-id"] == "scheduled__2026-01-31T03-00-00-00-00---"
    assert sent["--config-text"] == CONFIG.read_text()
    assert sent["--schema-text"] == CONFIG.with_suffix(".schema.pbtxt").read_text()
    assert json.loads(sent["--sets"]) == ["a=1"]
    assert sent["--span"] == ""
    dag = next(one for one in dag_file.made if one.settings.get("dag_id") == "taxi")
    assert dag.settings["params"]["overrides"].values[0] == list(on_airflow.file.overrides)


def test_a_task_runs_as_the_config_says(on_airflow, executed):
    dag_file = executed(on_airflow.output)
    found = tasks(dag_file)
    dags = {one.settings["dag_id"]: one.settings for one in dag_file.made if "dag_id" in one.settings}
    general = {"retries": 2, "pool": "learning", "retry_delay": timedelta(minutes=5)}
    assert found["Evaluator"].settings == {"task_id": "Evaluator", **general}
    own = {"task_id": "Trainer", "queue": "gpu", "retries": 0, "execution_timeout": timedelta(minutes=90)}
    assert found["Trainer"].settings == general | own
    assert found["Finish"].settings["pool"] == "default_pool"
    assert dags["taxi"]["schedule"].values == ("0 3 * * *",)
    assert dags["taxi"]["start_date"] == datetime(2026, 1, 31, tzinfo=UTC)
    assert (dags["taxi"]["catchup"], dags["taxi"]["max_active_runs"]) == (True, 1)
    assert (dags["taxi_scoring"]["schedule"], dags["taxi_scoring"]["catchup"]) == (None, False)


def test_null_takes_from_one_step_what_all_others_have(tmp_path, executed):
    general = {"pool": "learning", "retries": 2, "retry_delay_minutes": 5, "timeout_minutes": 60, "cache": False}
    files = {"rows": "a.csv", "output": "b.csv"}
    section = {**general, "steps": {"Trainer": dict.fromkeys(general)}, "scoring": {**files, "timeout_minutes": None}}
    found = tasks(executed(written(section, tmp_path).output))
    assert found["Trainer"].settings == {"task_id": "Trainer"}
    assert "--no-cache" not in found["Trainer"].arguments
    assert "--no-cache" in found["Evaluator"].arguments
    assert set(found["Evaluator"].settings) == {"task_id", "pool", "retries", "retry_delay", "execution_timeout"}
    assert set(found["Predict"].settings) == {"task_id", "pool", "retries", "retry_delay"}


def test_rows_are_scored_by_slipway_predict(on_airflow, executed):
    task = tasks(executed(on_airflow.output))["Predict"]
    asked = ["predict", "taxi", "--home", "/var/lib/slipway", "--keep", "company", "--label", "stable"]
    assert task.arguments == asked
    assert task.files == ["/rows/{{ ds }}.csv", "-o", "/scores/{{ ds }}.parquet"]
    assert not task.sends_config
    assert (task.settings["retries"], task.template_fields) == (3, ("files", "env"))


def test_what_the_config_says_of_the_files_holds_for_the_rows_to_score(tmp_path, executed):
    section = {"scoring": {"rows": "new.csv", "output": "scores.csv"}}
    path = tmp_path / "own.yaml"
    (tmp_path / "own.csv").write_text("a b;y\n1;0\n2;1\n")
    path.write_text(
        "name: own\ndata: {path: own.csv, options: {delimiter: ';'}, rename: {a b: a_b}}\n"
        "label: {name: y, task: binary}\nmodel: {name: tabular}\nevaluation: off\n"
    )
    arguments = tasks(executed(written(section, tmp_path, path=path).output))["Predict"].arguments
    assert arguments[-4:] == ["--rename", "a b=a_b", "--option", 'delimiter=";"']


HOSTILE = '\'"""\\ {{ ds }} {% raw %} {SPAN} $HOME ${x} `id`\n\\'


def test_no_text_of_the_config_is_read_as_python_jinja_or_shell(tmp_path, executed):
    path = tmp_path / "own.yaml"
    (tmp_path / "own.csv").write_text("a,y\n1,0\n2,1\n")
    path.write_text(
        f"# {HOSTILE.splitlines()[0]}\nname: own\ndata: {{path: own.csv}}\n"
        "label: {name: y, task: binary}\nmodel: {name: tabular}\nevaluation: off\n"
    )
    section = {"env": {"TOKEN": HOSTILE}, "tags": [HOSTILE], "command": ["sh", HOSTILE]}
    found = written(section, tmp_path, f"label.classes={json.dumps(['0', HOSTILE])}", path=path)
    dag_file = executed(found.output)
    assert path.read_text() == dag_file.CONFIG
    assert (dag_file.ENV, dag_file.SLIPWAY) == ({"TOKEN": HOSTILE}, ["sh", HOSTILE])
    assert list(found.file.overrides) == dag_file.OVERRIDES


def test_airflow_reads_no_column_s_name_as_a_template(tmp_path, executed):
    path, files = tmp_path / "own.yaml", {"rows": "{{ ds }}.jsonl", "output": "scores.csv"}
    (tmp_path / "own.jsonl").write_text(json.dumps({HOSTILE: 1, "y": 0}) + "\n" + json.dumps({HOSTILE: 2, "y": 1}))
    data = {"path": "own.jsonl", "format": "jsonl", "rename": {HOSTILE: "a"}}
    path.write_text(
        f"name: own\ndata: {json.dumps(data)}\n"
        "label: {name: y, task: binary}\nmodel: {name: tabular}\nevaluation: off\n"
    )
    section = {"scoring": {**files, "keep": [HOSTILE]}}
    task = tasks(executed(written(section, tmp_path, path=path).output))["Predict"]
    assert task.arguments[-4:] == ["--keep", HOSTILE, "--rename", f"{HOSTILE}=a"]
    assert task.files == ["{{ ds }}.jsonl", "-o", "scores.csv"]
    assert "arguments" not in task.template_fields


@pytest.mark.parametrize(
    ("policy", "days", "expected"),
    [
        (None, NIGHT, "20260131-20260131"),
        ("day", NIGHT, "20260131-20260131"),
        ("interval", NIGHT, "20260131-20260201"),
        ("interval", (datetime(2026, 1, 26, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)), "20260126-20260201"),
        ("interval", (NIGHT[0], NIGHT[0]), "20260131-20260131"),
        ("latest", NIGHT, "latest"),
        (None, (None, None), "latest"),
    ],
)
def test_a_run_reads_the_day_of_its_date_or_the_days_of_its_interval(policy, days, expected, tmp_path, executed):
    (tmp_path / "own-20260131.csv").write_text("a,y\n1,0\n2,1\n")
    path = tmp_path / "own.yaml"
    path.write_text(
        "name: own\ndata: {path: 'own-{YYYY}{MM}{DD}.csv'}\n"
        "label: {name: y, task: binary}\nmodel: {name: tabular}\nevaluation: off\n"
    )
    dag_file = executed(written({"span": policy} if policy else {}, tmp_path, path=path).output)
    context = {"run_id": "one", "params": {"span": "", "overrides": []}}
    if days[0]:
        context |= {"logical_date": days[0], "data_interval_start": days[0], "data_interval_end": days[1]}
    assert dag_file.sent(context)[-1] == expected
    context["params"]["span"] = "20251231"
    assert dag_file.sent(context)[-1] == "20251231", "what a run is started with comes first"


@pytest.mark.parametrize(("code", "raised"), [(0, None), (1, "AirflowException"), (2, "AirflowException"),
                                              (3, "AirflowFailException"), (4, "AirflowFailException"),
                                              (99, "AirflowException"), (-15, "AirflowException")])  # fmt: skip
def test_only_what_another_try_would_repeat_is_final(code, raised, on_airflow, executed):
    dag_file = executed(on_airflow.output)
    hook = types.SimpleNamespace(
        run_command=lambda command, env, cwd: types.SimpleNamespace(exit_code=code, output="x")
    )
    dag_file.Slipway.execute.__globals__["SubprocessHook"] = lambda: hook
    try:
        tasks(dag_file)["Predict"].execute({})
        ended = None
    except Exception as error:  # noqa: BLE001
        ended = type(error).__name__
    assert ended == raised


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("{schedule: '@daily'}", "a schedule without a start, got '@daily'; add start_date: 2026-01-31"),
        ("{catchup: true}", "nothing to catch up with, got catchup: true without a schedule"),
        ("{schedule: daily}", "no schedule, got 'daily'; five fields as in crontab"),
        ("{schedule: '0 0 3 * * *'}", "no schedule, got '0 0 3 * * *'; five fields"),
        ("{schedule: '60 3 * * *'}", "no minute of a schedule, got '60' in '60 3 * * *'; 0 to 59"),
        ("{schedule: '0 3 0 * *'}", "no day of the month of a schedule, got '0'"),
        ("{schedule: '0 3 * * */0'}", "no day of the week of a schedule, got '*/0'"),
        ("{schedule: 3}", "no schedule, got 3"),
        ("{start_date: soon}", "airflow.start_date: "),
        ("{retries: -1}", "airflow.retries: "),
        ("{home: here}", "airflow.home: string should match pattern"),
        ("{span: week}", "airflow.span: "),
        ("{span: day}", "airflow.span: the data have no spans that are days, got 'day'; write latest, or {YYYY}"),
        ("{steps: {Trainer: {gpu: 1}}}", "airflow.steps.Trainer.gpu: unknown key"),
        ("{scoring: {rows: a.csv, output: b.csv, cache: false}}", "airflow.scoring.cache: unknown key, got False"),
        ("{scoring: {rows: a.xls, output: b.csv}}", "airflow.scoring.rows: no format goes by this suffix, got 'xls'; "),
        (
            "{scoring: {rows: '{{ ds }}', output: b.csv}}",
            "no suffix to go by, got '{{ ds }}'; let it end in its format, one of .avro, ",
        ),
        ("{scoring: {rows: a.csv}}", "airflow.scoring.output: is missing"),
        ("{scoring: {rows: a.csv, output: a.xlsx}}", "no file that can be written, got 'a.xlsx'; it ends in .parquet"),
        ("{scoring: {rows: a.csv, output: b.csv, schedule: '@daily'}}", "a schedule without a start, got '@daily'"),
    ],
)
def test_a_wrong_section_is_told(section, told, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(told)):
        config_file.read(CONFIG, [f"airflow={section}"], tmp_path)


@pytest.mark.parametrize("schedule", SCHEDULES["taken"])
def test_a_schedule_that_airflow_knows_is_taken(schedule, tmp_path):
    section = {"schedule": schedule, "start_date": "2026-01-31"}
    assert config_file.read(CONFIG, [f"airflow={json.dumps(section)}"], tmp_path).config.airflow.schedule == schedule


@pytest.mark.parametrize("schedule", SCHEDULES["refused"])
def test_a_schedule_that_airflow_refuses_is_told(schedule, tmp_path):
    section = {"schedule": schedule, "start_date": "2026-01-31"}
    with pytest.raises(ConfigError, match=rf"airflow\.schedule: no .*schedule, got .*{re.escape(repr(schedule))}; "):
        config_file.read(CONFIG, [f"airflow={json.dumps(section)}"], tmp_path)


def test_all_mistakes_against_the_data_are_told_at_once(tmp_path):
    section = {"span": "interval", "scoring": {"rows": "a.csv", "output": "b.csv"}}
    with pytest.raises(ConfigError) as told:
        config_file.read(CONFIG, [f"airflow={json.dumps(section)}", "label.name=tip"], tmp_path)
    assert [line.split(": ")[1] for line in told.value.lines] == ["airflow.span", "label.name"]


def test_steps_that_are_none_and_a_file_that_cannot_be_are_told(tmp_path):
    steps = {"Trainr": {"retries": 1}, "Pushr": {}, "Finish": {"cache": False}}
    with pytest.raises(ConfigError) as told:
        written({"steps": steps}, tmp_path)
    first, second, third = told.value.lines
    assert re.search(r"airflow\.steps\.Trainr: no such step.*did you mean 'Trainer'", first)
    assert re.search(r"airflow\.steps\.Pushr: no such step.*did you mean 'Pusher'", second)
    assert third.endswith("airflow.steps.Finish.cache: the record of a run has no cache, got False; take it out")
    file = config_file.read(CONFIG, [], tmp_path)
    with pytest.raises(SetupError, match=r"-o: Airflow reads Python, got 'taxi\.yaml'; name it taxi\.py"):
        airflow.compile(file, Home(tmp_path, "taxi"), Path("taxi.yaml"))


def test_without_a_section_the_tasks_start_this_installation_here(tmp_path, executed):
    file, output = config_file.read(CONFIG, [], tmp_path), tmp_path / "taxi.py"
    airflow.compile(file, Home(tmp_path, "taxi"), output)
    dag_file = executed(output)
    assert [str(Path(sys.executable).with_name("slipway"))] == dag_file.SLIPWAY
    assert ["--config", str(CONFIG), "--home", str(tmp_path)] == dag_file.PLACE
    assert str(Path.cwd()) == dag_file.WORKING_DIR
    assert "Predict" not in tasks(dag_file)
    made_by = shlex.split(output.read_text().splitlines()[1].removeprefix("# "))
    assert made_by == [
        "slipway", "compile", str(CONFIG), "--runner", "airflow", "-o", str(output), "--home", str(tmp_path),
    ]  # fmt: skip
