"""Apache Airflow: a file of DAGs, with one task per step that runs `slipway node`, and one that scores rows.

The file needs no Slipway in Airflow's Python. The config travels in it, as it does to Kubeflow: a run that is under way
does not change when somebody edits the config.
"""

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from pipeline import data_files, orchestration
from pipeline.airflow_config import Airflow, Scoring, Step, Task
from pipeline.config_file import ConfigFile
from pipeline.data_config import Data, format_by_suffix
from pipeline.errors import SetupError
from pipeline.home import Home

TEMPLATE = Path(__file__).with_name("airflow_dag.py.in")
SPAN_HELP = "As of --span; empty: that of the run's date."


def compile(file: ConfigFile, home: Home, output: Path) -> list[str]:  # noqa: A001, the name of the command
    """Write a pipeline as a file of Airflow's DAGs and return what to print.

    Raises:
        ConfigError: the section says something that the pipeline has not, or the steps do not fit together.
        SetupError: the file cannot be written.
    """
    if output.suffix != ".py":
        raise SetupError(f"-o: Airflow reads Python, got {str(output)!r}; name it {output.stem}.py")
    section = file.config.airflow or Airflow()
    sent, nodes = orchestration.sent_config(file), orchestration.upstream(file)
    orchestration.require_steps(file, "airflow", section.steps, nodes)
    dags = [_training(file, section, nodes)]
    if section.scoring:
        dags.append(_scoring(file, section, section.scoring, section.home or str(home.root)))
    made_by = ["slipway", "compile", str(file.path), "--runner", "airflow", "-o", str(output)]
    made_by += [word for override in file.overrides for word in ("--set", override)]
    made_by += ["--span", file.span] if file.span else []
    made_by += [] if section.home else ["--home", str(home.root)]
    filled = {
        "name": file.config.name,
        "config": _one_line(str(file.path)),
        "command": _one_line(shlex.join(made_by)),
        "settings": "\n".join(_settings(file, section, home)),
        "dags": "\n".join(dags),
        "texts": f"CONFIG = {_text(sent['config'])}\nSCHEMA = {_text(sent['schema'])}",
    }
    orchestration.write(output, Template(TEMPLATE.read_text(encoding="utf-8")).substitute(filled))
    more = f", and {file.config.name}_scoring" if section.scoring else ""
    return [f"{output}: DAG {file.config.name} with {len(nodes)} steps{more}; copy it into Airflow's folder of DAGs"]


def span_policy(data: Data, section: Airflow) -> str | None:
    """Return what span the date of a run means: "latest", "day" or "interval"; None for data without spans."""
    signs = data.span_signs
    return section.span or ("day" if "YYYY" in signs else "latest") if signs else None


def _settings(file: ConfigFile, section: Airflow, home: Home) -> list[str]:
    """Return the constants of the file, as lines of Python."""
    given = section.command or str(Path(sys.executable).with_name("slipway"))
    config = orchestration.place(file) if section.working_dir else str(file.path.absolute())
    place = ["--config", config, "--home", section.home or str(home.root)]
    return [
        f"SLIPWAY = {_python(shlex.split(given) if isinstance(given, str) else list(given))}",
        f"PLACE = {_python(place)}",
        f"WORKING_DIR = {section.working_dir or str(Path.cwd())!r}",
        f"ENV = {_python(section.env)}",
        "# What span of the data the date of a run means; None: they have none.",
        f"SPAN = {span_policy(file.config.data, section)!r}",
        "# What --set says to every step; a run may be started with more.",
        f"OVERRIDES = {_python(list(file.overrides))}",
    ]


def _training(file: ConfigFile, section: Airflow, nodes: Mapping[str, list[str]]) -> str:
    """Return the DAG of the pipeline, as Python."""
    lines = _dag(file.config.name, f"slipway: {file.path.name}", section, section)
    lines[-1:] = [
        "    max_active_runs=1,  # a run compares its model with that of the run before",
        "    params={",
        f'        "span": Param({file.span or ""!r}, type="string", description={SPAN_HELP!r}),',
        '        "overrides": Param(OVERRIDES, type="array", items={"type": "string"}),',
        "    },",
        "):",
    ]
    for name, before in nodes.items():
        own = section.steps.get(name, Step()).among(section)
        words = [repr(name), *([f"after={before!r}"] if before else [])]
        words += ["no_cache=True"] if own.cache is False else []
        lines.append(f"    step({', '.join(words + _settled(own))})")
    own = section.steps.get(orchestration.FINISH, Step()).among(section)
    lines.append(f"    finish({', '.join([repr(orchestration.FINISH), *_settled(own)])})")
    return "\n".join(["", *lines, ""])


def _scoring(file: ConfigFile, section: Airflow, scoring: Scoring, home: str) -> str:
    """Return the DAG that scores rows, as Python."""
    data, name = file.config.data, file.config.name
    arguments = ["predict", name, "--home", home]
    arguments += [word for column in scoring.keep for word in ("--keep", column)]
    arguments += ["--label", scoring.label] if scoring.label else []
    arguments += [word for old, new in data.rename.items() for word in ("--rename", f"{old}={new}")]
    # What is said of the format of the training's files, as a delimiter, holds for rows of that format.
    options = data.options if format_by_suffix(scoring.rows) == data_files.data_format(data) else {}
    arguments += [word for key, value in options.items() for word in ("--option", f"{key}={json.dumps(value)}")]
    lines = _dag(f"{name}_scoring", f"slipway: rows to answers of {name}", section, scoring)
    words = ["task_id='Predict'", f"arguments={_python(arguments, indent=4)}"]
    words += [f"files={[scoring.rows, '-o', scoring.output]!r}", *_settled(scoring.among(section))]
    return "\n".join(["", *lines, f"    Slipway({', '.join(words)})"])


def _dag(name: str, description: str, section: Airflow, scheduled: Airflow | Scoring) -> list[str]:
    """Return the lines that begin a DAG."""
    day = section.start_date
    start = f"datetime({day.year}, {day.month}, {day.day}, tzinfo=timezone.utc)" if day else "None"
    return [
        "with DAG(",
        f"    dag_id={name!r},",
        f"    description={description!r},",
        f"    schedule=timetable({scheduled.schedule!r}),",
        f"    start_date={start},",
        f"    catchup={section.catchup and scheduled.schedule is not None},",
        f"    tags={list(section.tags)!r},",
        "):",
    ]


def _settled(task: Task) -> list[str]:
    """Return what is said of how a task runs, as arguments of Airflow's operators.

    They stand at each task and not in `default_args`, from which a task cannot take one away: Airflow 2 refuses None.
    """
    known = {name: getattr(task, name) for name in ("pool", "queue", "retries")}
    words = [f"{name}={value!r}" for name, value in known.items() if value is not None]
    for name, minutes in (("retry_delay", task.retry_delay_minutes), ("execution_timeout", task.timeout_minutes)):
        words += [f"{name}=timedelta(minutes={minutes:g})"] if minutes else []
    return words


def _python(value: Sequence[str] | Mapping[str, str], indent: int = 0) -> str:
    """Return a list or a mapping as Python, one item a line where there are several."""
    pairs = [f"{key!r}: {text!r}" for key, text in value.items()] if isinstance(value, Mapping) else map(repr, value)
    begin, end = "{}" if isinstance(value, Mapping) else "[]"
    items = list(pairs)
    if len(items) < 2:
        return begin + "".join(items) + end
    margin = " " * indent
    return "\n".join([begin, *(f"{margin}    {item}," for item in items), margin + end])


def _text(text: str) -> str:
    """Return a text as Python, line by line."""
    lines = text.splitlines(keepends=True)
    return "\n".join(["(", *(f"    {line!r}" for line in lines), ")"]) if lines else "''"


def _one_line(text: str) -> str:
    return " ".join(text.split())
