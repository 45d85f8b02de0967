"""Searches compared: the algorithms on the same minutes, and one worker against two on the same trials.

Every search is a real Tuner step of a config, in a home of its own whose other steps come from the cache. The
algorithms get the same minutes and seeds; what each one trained in them is in the table. The workers get the same
draws: a trial's weights follow from its number, so that their best objective must be the same too.
Usage: python -P benchmarks/tuning.py [CONFIG] [--minutes 2] [--trials 12] [--epochs N] [--seeds 1 2 3]
[--only PART] [--home DIR]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pipeline import config_file

ROOT = Path(__file__).parents[1]
ALGORITHMS = ("random", "grid", "bayesian", "hyperband")
# More than fit into any budget here: the minutes decide.
NO_LIMIT = 10_000
INITIAL_POINTS = 5


def search(config: Path, home: Path, **tuner: Any) -> tuple[dict[str, Any], float]:
    """Run the pipeline up to its Tuner, that one anew; return its report and the seconds of the step.

    Args:
        config: the file.
        home: of the runs.
        tuner: keys of the section.
    """
    settings = [part for key, value in tuner.items() for part in ("--set", f"tuner.{key}={value}")]
    command = [sys.executable, "-m", "pipeline", "run", str(config), "--home", str(home), *settings]
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


def compare_algorithms(config: Path, home: Path, minutes: float, seeds: list[int], epochs: dict[str, int]) -> None:
    """Print a row per algorithm: means over the seeds, and the worst and best of the best objectives."""
    print(f"\n{minutes:g} minutes each, seeds {seeds}, {os.cpu_count()} cores, one worker")
    print(f"{'':12}{'trials':>8}{'epochs':>8}{'seconds':>9}{'best':>9}{'lowest':>9}{'highest':>9}")
    for algorithm in ALGORITHMS:
        options: dict[str, Any] = {"algorithm": algorithm, "minutes": minutes, "workers": 1, **epochs}
        options |= {"iterations": NO_LIMIT} if algorithm == "hyperband" else {"max_trials": NO_LIMIT}
        options |= {"initial_points": INITIAL_POINTS} if algorithm == "bayesian" else {}
        found = [search(config, home, seed=seed, **options) for seed in seeds]
        trials = statistics.mean(len(report["trials"]) for report, _ in found)
        trained = statistics.mean(sum(trial["epochs"] for trial in report["trials"]) for report, _ in found)
        seconds = statistics.mean(seconds for _, seconds in found)
        scores = [best(report) for report, _ in found]
        figures = "".join(f"{score:>9.4f}" for score in (statistics.mean(scores), min(scores), max(scores)))
        print(f"{algorithm:12}{trials:>8.1f}{trained:>8.1f}{seconds:>9.1f}{figures}", flush=True)


def compare_workers(config: Path, home: Path, trials: int, seeds: list[int], epochs: dict[str, int]) -> None:
    """Print a row per number of workers; they take turns, so that a machine whose speed drifts slows both."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    scores: dict[int, list[float]] = {1: [], 2: []}
    for seed in seeds:
        for workers, rate in rates.items():
            options: dict[str, Any] = {"algorithm": "random", "max_trials": trials, "seed": seed, **epochs}
            report, seconds = search(config, home, workers=workers, **options)
            rate.append(60 * len(report["trials"]) / seconds)
            scores[workers].append(best(report))
    print(f"\n{trials} random trials, seeds {seeds}, {os.cpu_count()} cores; the whole step, imports included")
    for workers, rate in rates.items():
        found = ", ".join(f"{score:.4f}" for score in scores[workers])
        print(f"{workers} workers: {statistics.median(rate):6.1f} trials per minute, best {found}")
    print(f"2 workers against 1: {statistics.median(rates[2]) / statistics.median(rates[1]):.2f} times")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", type=Path, default=ROOT / "configs/taxi.yaml")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
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
