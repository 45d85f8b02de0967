"""Size and latency of every .tflite variant against the SavedModel called in process: same rows, same machine, one run.

Usage: python -P benchmarks/mobile.py [HOME]; without a home that has a pushed taxi model, one is made first.
"""

import json
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from serving.predictor import Predictor
from serving.preprocessing import Preprocessing
from serving.rows import MISSING, kind
from serving.tflite import TfliteModel

RUNS = 3000


def timed(answer) -> tuple[float, float]:
    """Return median and 99th percentile of a call, in microseconds."""
    for _ in range(RUNS // 10):
        answer()
    times = np.empty(RUNS)
    for run in range(RUNS):
        began = time.perf_counter()
        answer()
        times[run] = time.perf_counter() - began
    return float(np.median(times) * 1e6), float(np.quantile(times, 0.99) * 1e6)


def lines(home: Path):
    """Yield the table: the SavedModel three ways, then each variant."""
    import tensorflow as tf

    folder = max((home / "mobile" / "taxi").iterdir(), key=lambda path: int(path.name))
    model = home / "serving" / "taxi" / folder.name
    row = json.loads((folder / "examples.json").read_text())["rows"][0]["inputs"]
    predictor = Predictor(model)
    signature = predictor.signature("serving_default")
    columns = {
        name: np.array([row.get(name, MISSING[kind(info.dtype_name)])], info.numpy_dtype)
        for name, info in signature.inputs.items()
    }
    size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    loaded = tf.saved_model.load(str(model)).signatures["serving_default"]
    tensors = {name: tf.constant(values) for name, values in columns.items()}

    def ask() -> np.ndarray:
        return loaded(**tensors)["probability"].numpy()

    baseline = timed(ask)
    yield "SavedModel, tf.saved_model.load", size, baseline, 1.0
    yield (
        "SavedModel, our session",
        size,
        (session := timed(lambda: predictor.run(signature, columns))),
        ratio(baseline, session),
    )
    columns = {
        name: values if values.dtype != object else np.array([values[0].encode()], object)
        for name, values in columns.items()
    }
    features = Preprocessing(folder / "preprocessing.json")(columns)
    for path in sorted(folder.glob("*.tflite")):
        for threads in (1, 2):
            lite = TfliteModel(path, threads=threads, delegates=True)
            inputs = {name: (columns if lite.signature == "serving_mobile" else features)[name] for name in lite.inputs}
            found = timed(lambda lite=lite, inputs=inputs: lite.predict(inputs))
            yield (
                f"{path.stem}, {lite.signature}, {threads} thread(s)",
                path.stat().st_size,
                found,
                ratio(baseline, found),
            )


def ratio(baseline: tuple[float, float], other: tuple[float, float]) -> float:
    """Return how many times faster the other's median is."""
    return baseline[0] / other[0]


def main(home: Path) -> None:
    """Make a model if need be and print the table."""
    if not (home / "mobile" / "taxi").is_dir():
        command = [sys.executable, "-m", "pipeline", "run", "configs/taxi.yaml", "--home", str(home)]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[1])
    print(
        f"TensorFlow {version('tensorflow')}, LiteRT {version('ai-edge-litert')}, "
        f"Python {sys.version.split()[0]}; one row"
    )
    for name, size, (median, worst), faster in lines(home):
        print(f"{name:<45}{size / 1000:>8.1f} kB  median {median:>7.1f} µs  p99 {worst:>7.1f} µs  {faster:>5.1f} x")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch))
