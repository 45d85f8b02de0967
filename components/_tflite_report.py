"""How good, small and fast each .tflite file is, against the SavedModel it was made of, and whether that is enough."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from components._tflite_convert import RAW
from serving.predictor import Predictor
from serving.tflite import ENGINES, TfliteModel

Columns = Mapping[str, np.ndarray]
THREADS = (1, 2)
# So many rows are asked as an app asks, one at a time and with XNNPACK; the rest in batches, which XNNPACK cannot do.
ONE_BY_ONE = 256
# What TFLite calls operations that need TensorFlow's own kernels in the app, ten times the size.
FLEX = "Flex"


class Block(NamedTuple):
    """Some rows at every stage, by name.

    Attributes:
        raw: what `serving_default` takes.
        handed: what `serving_mobile` takes, mostly the same; a phone hands over a picture decoded.
        transformed: the transformed features and the label.
    """

    raw: Columns
    handed: Columns
    transformed: Columns


def measure(
    predictor: Predictor, blocks: Iterable[Block], folder: Path, signatures: Mapping[str, str], label: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Run every file of a folder on the eval split.

    Args:
        predictor: the SavedModel.
        blocks: the rows of the eval split.
        folder: with `<variant>.tflite` for those that were converted.
        signatures: what each variant was made of.
        label: `name` and `task`.

    Returns:
        by variant, the figures: differences, metric, bytes, operations, latencies.
    """
    models = {name: TfliteModel(folder / f"{name}.tflite") for name in signatures if _file(folder, name).exists()}
    if not models:
        return {}
    output = answer_of(label["task"])
    expected, labels = [], []
    answers: dict[str, list[np.ndarray]] = {name: [] for name in models}
    row: dict[str, dict[str, np.ndarray]] = {}
    for block in blocks:
        expected.append(predictor.predict(block.raw, outputs=[output])[output])
        labels.append(block.transformed[f"{label['name']}_label"])
        for name, model in models.items():
            inputs = {
                key: (block.handed if signatures[name] == RAW else block.transformed)[key] for key in model.inputs
            }
            answer = model.predict(inputs)[output]
            if name not in row:
                row[name] = {key: values[:1] for key, values in inputs.items()}
                answer[:ONE_BY_ONE] = _as_in_an_app(_file(folder, name), inputs, output)
            answers[name].append(answer)
    truth, reference = np.concatenate(labels), np.concatenate(expected)
    of_saved_model = metric(label["task"], truth, reference)
    figures = {}
    for name in models:
        values = np.concatenate(answers[name])
        figures[name] = {
            "rows": len(values),
            **_agreement(label["task"], reference, values),
            **metric_loss(label["task"], of_saved_model, metric(label["task"], truth, values)),
            **_of_file(_file(folder, name), row[name]),
        }
    return figures


def _as_in_an_app(path: Path, inputs: Mapping[str, np.ndarray], output: str) -> np.ndarray:
    model = TfliteModel(path, delegates=True)
    count = min(ONE_BY_ONE, len(next(iter(inputs.values()))))
    rows = ({key: values[row : row + 1] for key, values in inputs.items()} for row in range(count))
    return np.concatenate([model.predict(row)[output] for row in rows])


def answer_of(task: str) -> str:
    """Return the output that is compared; models/_export.py names the outputs of each task."""
    return {"binary": "probability", "multiclass": "probabilities", "regression": "prediction"}[task]


def metric(task: str, labels: np.ndarray, answers: np.ndarray) -> tuple[str, float]:
    """Return the name and value of a task's metric: auc, accuracy or rmse."""
    if task == "regression":
        return "rmse", float(np.sqrt(np.mean((answers.astype(np.float64) - labels) ** 2)))
    if task == "multiclass":
        return "accuracy", float(np.mean(answers.argmax(axis=1) == labels))
    from sklearn.metrics import roc_auc_score

    # One class alone has no AUC; neither file nor SavedModel is to blame.
    return "auc", float(roc_auc_score(labels, answers)) if len(np.unique(labels)) > 1 else float("nan")


def metric_loss(task: str, before: tuple[str, float], after: tuple[str, float]) -> dict[str, Any]:
    """Return the metric of a variant and how much worse it is than the SavedModel's; below 0 is better."""
    worse = after[1] - before[1] if task == "regression" else before[1] - after[1]
    return {"metric": after[0], "value": after[1], "saved_model": before[1], "loss": worse}


def judge(
    options: Mapping[str, Any],
    signatures: Mapping[str, str],
    failures: Mapping[str, str],
    measured: Mapping[str, dict[str, Any]],
) -> dict[str, Any]:
    """Return the report: by variant its figures and what is wrong with it, and whether the folder may be pushed."""
    variants, wrong = {}, []
    for name, wanted in options["variants"].items():
        figures = measured.get(name, {})
        problems = [failures[name]] if name in failures else over_budget(figures, wanted)
        variants[name] = {
            "signature": signatures[name], "required": wanted["required"], "problems": problems, **figures,
        }  # fmt: skip
        wrong += [name] * (bool(problems) and wanted["required"])
    return {"variants": variants, "blessed": not wrong, "failed": [name for name in wrong if name in failures]}


def over_budget(figures: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return a phrase per bound that a variant misses: `size 71,512 bytes > 50,000`."""
    bounds = (
        ("max_bytes", "size", figures["bytes"], "bytes"),
        ("max_latency_ms", "latency", figures["latency"]["litert, 1 thread"]["median_us"] / 1000, "ms"),
        ("max_difference", "difference", figures["max_difference"], ""),
        ("max_loss", f"{figures['metric']} loss", figures["loss"], ""),
    )
    return [
        f"{what} {value:,.6g} {unit}".rstrip() + f" > {wanted[key]:,.6g}"
        for key, what, value, unit in bounds
        # Written so that a value that is no number misses its bound.
        if wanted.get(key) is not None and not value <= wanted[key]
    ]


def _file(folder: Path, variant: str) -> Path:
    return folder / f"{variant}.tflite"


def _agreement(task: str, expected: np.ndarray, got: np.ndarray) -> dict[str, float]:
    gaps = np.abs(got.astype(np.float64) - expected)
    found = {"max_difference": float(gaps.max()), "mean_difference": float(gaps.mean())}
    if task == "binary":
        found["top_1_agreement"] = float(np.mean((got >= 0.5) == (expected >= 0.5)))
    elif task == "multiclass":
        found["top_1_agreement"] = float(np.mean(got.argmax(axis=1) == expected.argmax(axis=1)))
    return found


def _of_file(path: Path, row: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return size, operations and latency for one row of one file."""
    plain = TfliteModel(path)
    plain.predict(row)
    operations = plain.operations()
    latency = {}
    for engine in ENGINES:
        for threads in THREADS:
            timed = TfliteModel(path, engine, threads, delegates=True).latency(row)
            latency[f"{engine}, {threads} thread{'s' * (threads > 1)}"] = vars(timed)
    return {
        "bytes": path.stat().st_size,
        "activation_bytes": plain.activation_bytes(),
        "operations": {name: operations.count(name) for name in sorted(set(operations))},
        "flex": any(name.startswith(FLEX) for name in operations),
        "latency": latency,
    }
