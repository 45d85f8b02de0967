"""Searches compared: the algorithms on the same minutes, and one worker against two on the same trials, as Markdown.

Every search is a real Tuner step of a config, in a home of its own whose other steps come from the cache. All draw the
batch size too. The algorithms get the same minutes and seeds; what each one trained in them is in the table. The
workers get the same draws, as many epochs each: their best objectives differ by the order in which threads add up.
Takes under eight minutes on two idle cores with what it does unasked.
Usage: python -P benchmarks/tuning.py [CONFIG] [--only algorithms|workers] [--minutes 0.75] [--trials 20] [--epochs N]
[--seeds 1] [--home DIR]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import config_file

ROOT = Path(__file__).parents[1]
ALGORITHMS = ("random", "grid", "bayesian", "hyperband")
# More than fit into any budget here: the minutes decide.
NO_LIMIT = 10_000
INITIAL_POINTS = 5
BATCH_SIZES = "tuner.space.batch_size={choice: [32, 64, 128, 256]}"


def search(config: Path, home: Path, **tuner: Any) -> tuple[dict[str, Any], float]:
    """Run the pipeline up to its Tuner, that one anew; return its report and the seconds of the step.

    Args:
        config: the file.
        home: of the runs.
        tuner: keys of the section.
    """
    settings = [BATCH_SIZES, *(f"tuner.{key}={value}" for key, value in tuner.items())]
    command = [sys.executable, "-m", "pipeline", "run", str(config), "--home", str(home)]
    command += [part for setting in settings for part in ("--set", setting)]
    name = config_file.read(config).config.name
    command += ["--to", "Tuner", "--no-cache", "Tuner"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"tuning: {' '.join(command)} failed, got\n{done.stdout}{done.stderr}")
    results = max((home / "artifacts" / name / "Tuner/tuner_results").iterdir(), key=lambda path: int(path.name))
    record = json.loads(max((home / "runs" / name).glob("*/run.json")).read_text(encoding="utf-8"))
    seconds = next(step["seconds"] for step in record["steps"] if step["name"] == "Tuner")
    return json.loads((results / "trials.json").read_text(encoding="utf-8")), seconds


def best(report: dict[str, Any]) -> float:
    """Return the best objective."""
    return next(trial["objective"] for trial in report["trials"] if trial["trial"] == report["best"])


def training_seconds(report: dict[str, Any]) -> float:
    """Return the seconds from the beginning of the first trial to the end of the last."""
    ends = [trial["begun"] + trial["seconds"] for trial in report["trials"]]
    return max(ends) - min(trial["begun"] for trial in report["trials"])


def row(*cells: object) -> None:
    """Print a row of a Markdown table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def head(*names: str) -> None:
    """Print the first two rows of a table, numbers to the right."""
    row(*names)
    print(f"|---|{'---:|' * (len(names) - 1)}", flush=True)


def scores(found: Sequence[float]) -> str:
    """Return the mean of the best objectives and, of several, the lowest and highest."""
    spread = f" ({min(found):.4f} to {max(found):.4f})" if len(found) > 1 else ""
    return f"{statistics.mean(found):.4f}{spread}"


def compare_algorithms(config: Path, home: Path, minutes: float, seeds: list[int], epochs: dict[str, int]) -> None:
    """Print a row per algorithm: means over the seeds."""
    print(f"\n{config.stem}, {minutes:g} minutes each, seeds {seeds}, {os.cpu_count()} cores, one worker\n")
    for number, algorithm in enumerate(ALGORITHMS):
        options: dict[str, Any] = {"algorithm": algorithm, "minutes": minutes, "workers": 1, **epochs}
        options |= {"iterations": NO_LIMIT} if algorithm == "hyperband" else {"max_trials": NO_LIMIT}
        options |= {"initial_points": INITIAL_POINTS} if algorithm == "bayesian" else {}
        reports = [search(config, home, seed=seed, **options)[0] for seed in seeds]
        if number == 0:
            head("", "trials", "epochs", "seconds", f"best {reports[0]['objective']}")
        trials = statistics.mean(len(report["trials"]) for report in reports)
        trained = statistics.mean(sum(trial["epochs"] for trial in report["trials"]) for report in reports)
        seconds = statistics.mean(training_seconds(report) for report in reports)
        row(algorithm, f"{trials:g}", f"{trained:g}", f"{seconds:.0f}", scores([best(report) for report in reports]))


def compare_workers(config: Path, home: Path, trials: int, seeds: list[int], epochs: dict[str, int]) -> None:
    """Print a row per number of workers; they take turns, so that a machine whose speed drifts slows both."""
    found: dict[int, list[tuple[dict[str, Any], float]]] = {1: [], 2: []}
    # None ends early: who trains fewer epochs would look faster.
    tuner = config_file.read(config).config.tuner
    assert tuner is not None, "its searches are what is compared"
    equal = {"patience": epochs.get("epochs", tuner.epochs), **epochs}
    for seed in seeds:
        for workers, searches in found.items():
            options: dict[str, Any] = {"algorithm": "random", "max_trials": trials, "seed": seed, **equal}
            searches.append(search(config, home, workers=workers, **options))
    print(f"\n{config.stem}, {trials} random trials, seeds {seeds}, {os.cpu_count()} cores; trials per minute\n")
    head("workers", "whole step", "from the first trial", f"best {found[1][0][0]['objective']}")
    rates = {}
    for workers, searches in found.items():
        whole = statistics.median(60 * len(report["trials"]) / seconds for report, seconds in searches)
        training = statistics.median(60 * len(report["trials"]) / training_seconds(report) for report, _ in searches)
        rates[workers] = (whole, training)
        row(workers, f"{whole:.1f}", f"{training:.1f}", scores([best(report) for report, _ in searches]))
    row("2 against 1", *(f"{two / one:.2f} times" for one, two in zip(rates[1], rates[2], strict=True)), "")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", type=Path, default=ROOT / "configs/digits-tuned.yaml")
    parser.add_argument("--minutes", type=float, default=0.75)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--home", type=Path, help="keep the runs there, and take what is cached from there")
    parser.add_argument("--only", choices=("algorithms", "workers"))
    given = parser.parse_args()
    epochs = {} if given.epochs is None else {"epochs": given.epochs}
    config = given.config.absolute()
    with tempfile.TemporaryDirectory() as folder:
        home = (given.home or Path(folder)).absolute()
        search(config, home, max_trials=1, epochs=1)  # fills the cache
        if given.only != "workers":
            compare_algorithms(config, home, given.minutes, given.seeds, epochs)
        if given.only != "algorithms":
            compare_workers(config, home, given.trials, given.seeds, epochs)


if __name__ == "__main__":
    main()
