"""Apache Airflow in an environment of its own with SQLite, for `make airflow`."""

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AIRFLOW = "apache-airflow==3.3.2"
# It outlives the tests, so that Airflow is installed once.
ENVIRONMENT = ROOT / ".slipway" / "airflow"
QUICK = {
    "tuner": "off", "mobile": "off", "training.epochs": "3", "evaluation.metrics": "[auc]", "evaluation.slices": "[]",
    "evaluation.thresholds": "[{metric: auc, min: 0.8}]",
}  # fmt: skip


@dataclass
class Ended:
    """A DAG run that has ended.

    Attributes:
        output: what was printed, the logs of the tasks among it.
        state: of the run.
        states: of the tasks, by name.
        tries: of the tasks, by name.
    """

    output: str
    state: str
    states: dict[str, str]
    tries: dict[str, int]


class Airflow:
    """An installation with a home of its own, and a home of Slipway beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.slipway_home = folder, folder / "slipway"
        self.dags = folder / "home" / "dags"
        self.dags.mkdir(parents=True)

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run Airflow's command line."""
        hidden = ("PYTHONPATH", "SLIPWAY_HOME", "VIRTUAL_ENV")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment |= {
            "AIRFLOW_HOME": str(self.folder / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }  # fmt: skip
        done = subprocess.run(
            [ENVIRONMENT / "bin" / "airflow", *arguments], cwd=self.folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1500,
        )  # fmt: skip
        assert done.returncode == code, done.stdout
        return done.stdout

    def compile(self, section: dict, span: str | None = None, **overrides: str) -> None:
        """Write the taxi pipeline into the folder of DAGs."""
        # The tasks take the sources of this clone, whatever is installed.
        section = {"env": {"PYTHONPATH": str(ROOT)}, **section}
        given = {"airflow": json.dumps(section), **QUICK, **overrides}
        sets = [word for key, value in given.items() for word in ("--set", f"{key}={value}")]
        command = [sys.executable, "-m", "pipeline", "compile", "configs/taxi.yaml", "--runner", "airflow"]
        command += ["-o", str(self.dags / "taxi.py"), *sets, *(["--span", span] if span else [])]
        subprocess.run([*command, "--home", str(self.slipway_home)], cwd=ROOT, check=True)

    def run(self, dag: str, day: str, *, succeeds: bool = True) -> Ended:
        """Run a DAG for a day, in this process tree, without a scheduler."""
        output = self("dags", "test", dag, day, code=0 if succeeds else 1)
        with sqlite3.connect(self.folder / "home" / "airflow.db") as database:
            run_id, state = database.execute(
                "select run_id, state from dag_run where dag_id = ? order by id desc limit 1", [dag]
            ).fetchone()
            rows = database.execute(
                "select task_id, state, try_number from task_instance where dag_id = ? and run_id = ?", [dag, run_id]
            ).fetchall()
        states, tries = {name: state for name, state, _ in rows}, {name: tries for name, _, tries in rows}
        return Ended(output, state, states, tries)

    def last_run(self) -> dict:
        """Return Slipway's record of the last run."""
        return json.loads(max((self.slipway_home / "runs" / "taxi").glob("*/run.json")).read_text(encoding="utf-8"))

    def pushed(self) -> list[Path]:
        """Return the pushed versions."""
        return sorted((self.slipway_home / "serving" / "taxi").glob("[0-9]*"))


@pytest.fixture(scope="session")
def environment() -> Path:
    """An environment with Airflow; made once, with the Python and the uv of this one."""
    installed = ENVIRONMENT / "installed"
    if not installed.is_file() or installed.read_text() != f"{AIRFLOW} {sys.version}":
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT], check=True)
        python = ENVIRONMENT / "bin" / "python"
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, AIRFLOW], check=True)
        installed.write_text(f"{AIRFLOW} {sys.version}")
    return ENVIRONMENT


@pytest.fixture(scope="module")
def airflow(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    """A fresh home with an empty database."""
    installation = Airflow(tmp_path_factory.mktemp("airflow"))
    installation("db", "migrate")
    return installation
