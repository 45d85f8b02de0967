"""The Beam steps by number of rows, in memory and in several processes: seconds, and memory at its peak, as Markdown.

The rows are drawn from the real taxi trips with replacement, so that statistics and vocabularies are the real ones.
Every run is one process with an empty cache, from the files to the Evaluator with one epoch of training between. Memory
is the sum over the process and its children of what each holds alone and its share of what several hold (PSS), twice a
second.
Usage: python -P benchmarks/beam.py [--rows 15000,150000,1500000] [--modes in_memory,multi_processing] [--workers N]
[--keep FOLDER]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil

from data.sources import taxi

ROOT = Path(__file__).parents[1]
SHARDS, SEED = 8, 1
STEPS = ("ExampleGen", "StatisticsGen", "Transform", "Trainer", "Evaluator")
SETTINGS = {
    "tuner": "off", "mobile": "off", "doors": "off", "push": "off",
    # What is learned is not the question: large batches, and no bound to reach.
    "training": "{epochs: 1, batch_size: 4096}", "evaluation.thresholds": "[{metric: auc, min: 0.0}]",
}  # fmt: skip


def draw(rows: int, folder: Path) -> None:
    """Write so many real rows, drawn with replacement, into `SHARDS` CSV files."""
    header, *real = Path(taxi.locate(Path())).read_text(encoding="utf-8").splitlines(keepends=True)
    drawn = np.random.default_rng(SEED).integers(len(real), size=rows)
    folder.mkdir(parents=True)
    for number, part in enumerate(np.array_split(drawn, SHARDS)):
        text = header + "".join(real[row] for row in part)
        (folder / f"trips-{number}.csv").write_text(text, encoding="utf-8")


def config(rows: Path, place: Path) -> Path:
    """Write the taxi config for other rows and return its path."""
    text = (ROOT / "configs/taxi.yaml").read_text(encoding="utf-8")
    text = text.replace("  source: taxi\n", f"  path: {rows}/*.csv\n  format: csv\n")
    text = text.replace("schema: taxi.schema.pbtxt", f"schema: {ROOT}/configs/taxi.schema.pbtxt")
    path = place / "taxi.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def measure(file: Path, home: Path, mode: str, workers: int) -> tuple[dict[str, float], float, float]:
    """Run the pipeline once.

    Returns:
        Seconds by step, seconds of the process, and its memory at the peak in GB, with its children.
    """
    beam = f"{{mode: {mode}}}" if mode == "in_memory" else f"{{mode: {mode}, workers: {workers}}}"
    settings = [f"{key}={value}" for key, value in {**SETTINGS, "beam": beam}.items()]
    command = [sys.executable, "-m", "pipeline", "run", str(file), "--home", str(home)]
    command += [part for setting in settings for part in ("--set", setting)]
    began, peak = time.monotonic(), 0.0
    with (home.parent / "output.txt").open("w+") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            peak = max(peak, held_gb(process.pid))
            time.sleep(0.5)
        output.seek(0)
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{output.read()[-4000:]}")
    seconds = time.monotonic() - began
    (record,) = (home / "runs/taxi").glob("*/run.json")
    steps = {step["name"]: step["seconds"] for step in json.loads(record.read_text(encoding="utf-8"))["steps"]}
    return steps, seconds, peak


def held_gb(pid: int) -> float:
    """Return the memory of a process and its children."""
    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / 1e9


def main() -> None:
    """Print a row per size and mode."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="15000,150000,1500000")
    parser.add_argument("--modes", default="in_memory,multi_processing")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--keep", type=Path, help="keep the rows and the homes of the runs there")
    given = parser.parse_args()
    stack = ", ".join(f"{name} {version(name)}" for name in ("tfx", "apache-beam", "tensorflow"))
    print(f"{stack}, Python {sys.version.split()[0]}; {os.cpu_count()} cores, {given.workers} workers; ", end="")
    print(f"load {os.getloadavg()[0]:.1f} before; seconds, GB\n")
    print(f"| rows | mode | {' | '.join(STEPS)} | whole run | peak |\n|---:|---|{'---:|' * (len(STEPS) + 2)}")
    with tempfile.TemporaryDirectory() as temporary:
        place = given.keep.absolute() if given.keep else Path(temporary)
        for rows in map(int, given.rows.split(",")):
            folder = place / str(rows)
            draw(rows, folder / "rows")
            file = config(folder / "rows", folder)
            for mode in given.modes.split(","):
                steps, seconds, peak = measure(file, folder / mode, mode, given.workers)
                times = " | ".join(f"{steps[name]:.1f}" for name in STEPS)
                print(f"| {rows:,} | {mode} | {times} | {seconds:.1f} | {peak:.1f} |", flush=True)


if __name__ == "__main__":
    main()
