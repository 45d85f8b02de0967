"""Wall time of the taxi run against a stock TFX pipeline: same machine, stack, components, trials, epochs and steps.

Both start in a fresh process with an empty cache and end with a pushed model; they take turns, so that a machine whose
speed drifts slows both. Usage: python -P benchmarks/run_time.py [pairs]
"""

import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from data.sources import taxi

ROOT = Path(__file__).parents[1]
TRAIN_ROWS, EVAL_ROWS, BATCH = 10_000, 5_000, 128
TRIALS, TRIAL_EPOCHS, EPOCHS = 4, 4, 10


def slipway(output: str) -> list[str]:
    """Return the command of our run: no early stopping, so that both train as many steps, and no files for phones."""
    overrides = {
        "tuner.max_trials": TRIALS, "tuner.epochs": TRIAL_EPOCHS, "tuner.patience": 1000,
        "training.epochs": EPOCHS, "training.patience": 1000, "mobile": "off",
    }  # fmt: skip
    settings = [part for key, value in overrides.items() for part in ("--set", f"{key}={value}")]
    return [sys.executable, "-m", "pipeline", "run", "configs/taxi.yaml", "--home", output, *settings]


def stock(output: str) -> list[str]:
    """Return the command of the stock run."""
    settings = {
        "trials": TRIALS, "trial_epochs": TRIAL_EPOCHS, "epochs": EPOCHS,
        "steps": math.ceil(TRAIN_ROWS / BATCH), "eval_steps": math.ceil(EVAL_ROWS / BATCH),
    }  # fmt: skip
    data = str(Path(taxi.locate(Path())).parent)
    arguments = [data, str(ROOT / "configs/taxi.schema.pbtxt"), output, json.dumps(settings)]
    return [sys.executable, str(ROOT / "benchmarks/stock_taxi/run.py"), *arguments]


def seconds(command: list[str]) -> float:
    """Run a command and return its wall time; fail loudly when it does not push."""
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[1]} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return time.monotonic() - began


def steps(output: str) -> dict[str, float]:
    """Return the seconds of each step of the run in a home, and of what is not in a step: imports, mostly."""
    (record,) = Path(output, "runs", "taxi").glob("*/run.json")
    run = json.loads(record.read_text(encoding="utf-8"))
    found = {step["name"]: step["seconds"] for step in run["steps"]}
    return {**found, "imports and planning": run["seconds"] - sum(found.values())}


def main() -> None:
    """Time the pairs and print the medians, the ratio, and where our seconds are."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"TFX {version('tfx')}, TensorFlow {version('tensorflow')}, Python {sys.version.split()[0]}, {pairs} pairs")
    ours, theirs, parts = [], [], []
    for number in range(pairs):
        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            ours.append(seconds(slipway(first)))
            parts.append(steps(first))
            theirs.append(seconds(stock(second)))
        print(f"pair {number + 1}: slipway {ours[-1]:.1f} s, stock {theirs[-1]:.1f} s, {ours[-1] / theirs[-1]:.2f}")
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(
        f"median: slipway {statistics.median(ours):.1f} s, stock {statistics.median(theirs):.1f} s, ratio {ratio:.2f}"
    )
    for name in parts[0]:
        print(f"  {name:<22}{statistics.median(one[name] for one in parts):>6.1f} s")


if __name__ == "__main__":
    main()
