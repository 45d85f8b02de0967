"""Learning curves in a terminal: a metric's values by epoch, as one line of blocks with its figures."""

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.trials import aligned

BLOCKS = "▁▂▃▄▅▆▇█"
NO_NUMBER = "×"
WIDTH = 40
# Keras's TensorBoard callback: `train/` and `validation/` have the tags `epoch_loss` and the like.
TAG = "epoch_"
VALIDATION = "val_"

Curves = Mapping[str, Mapping[int, float]]


def table(curves: Curves) -> list[str]:
    """Return the curves as lines, a metric and its `val_` on the same scale.

    Args:
        curves: by metric, the values by epoch, from 1; NaN and infinities are drawn as ×.
    """
    scales = {name: _scale(curves, name) for name in curves}
    rows = [["", "by epoch", "first", "last", "lowest", "highest"]]
    for name, curve in sorted(curves.items(), key=lambda item: (item[0].removeprefix(VALIDATION), item[0])):
        values = [curve[epoch] for epoch in sorted(curve)]
        known = {epoch: value for epoch, value in curve.items() if math.isfinite(value)}
        ends = [f"{known[epoch]:.4g} in {epoch}" for epoch in _extremes(known)]
        rows.append([name, spark(values, scales[name]), f"{values[0]:.4g}", f"{values[-1]:.4g}", *(ends or ["-", "-"])])
    return aligned(rows)


def spark(values: Sequence[float], scale: tuple[float, float]) -> str:
    """Return one block per value, of a long curve one per even step, the last value always among them.

    Args:
        values: at least one.
        scale: the values of the lowest and of the highest block.
    """
    step = max(1, -(-len(values) // WIDTH))
    low, high = scale
    shown = values[(len(values) - 1) % step :: step]
    height = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((value - low) * height)] if math.isfinite(value) else NO_NUMBER for value in shown)


def of_training(folder: Path) -> dict[str, dict[int, float]]:
    """Return what a Trainer has logged so far: `loss`, `val_loss` and so on, those of a student with its folder."""
    found: dict[str, dict[int, float]] = {}
    for path in sorted(folder.rglob("*.tfevents.*")):
        *above, split = path.parent.relative_to(folder).parts or ("",)
        for tag, epoch, value in _scalars(path):
            if tag.startswith(TAG):
                metric = f"{VALIDATION * (split == 'validation')}{tag.removeprefix(TAG)}"
                found.setdefault(" ".join([*above, metric]), {})[epoch + 1] = value
    return found


def of_trial(report: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """Return the curves of a search's best trial, of the first of its executions; none before the first is completed.

    Args:
        report: `trials.json`, see `components/_tuner_report.py`.
    """
    curve: list[Any] = next((trial["curve"] for trial in report["trials"] if trial["trial"] == report["best"]), [])
    points = [point for point in curve if point["execution"] == curve[0]["execution"]]
    names = dict.fromkeys(name for point in points for name in point if name not in ("execution", "epoch"))
    by_name = {
        name: {epoch: point[name] for epoch, point in enumerate(points, start=1) if point.get(name) is not None}
        for name in names
    }
    return {name: curve for name, curve in by_name.items() if curve}


def _scale(curves: Curves, name: str) -> tuple[float, float]:
    other = name.removeprefix(VALIDATION)
    values = [value for each in (other, VALIDATION + other) for value in curves.get(each, {}).values()]
    known = [value for value in values if math.isfinite(value)] or [0.0]
    return min(known), max(known)


def _extremes(curve: Mapping[int, float]) -> list[int]:
    """Return the epochs of the lowest and the highest value, none of an empty curve."""
    return [min(curve, key=lambda epoch: curve[epoch]), max(curve, key=lambda epoch: curve[epoch])] if curve else []


def _scalars(path: Path) -> Iterator[tuple[str, int, float]]:
    """Yield tag, step and value of the scalars in a file of events.

    TensorBoard's own readers import TensorFlow, which takes seconds. The messages' classes do not.
    """
    from tensorboard.compat.proto import event_pb2
    from tensorboard.util import tensor_util

    for record in _records(path.read_bytes()):
        event = event_pb2.Event.FromString(record)
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "scalars" and value.HasField("tensor"):
                yield value.tag, event.step, float(tensor_util.make_ndarray(value.tensor))


def _records(content: bytes) -> Iterator[bytes]:
    """Yield the records of a TFRecord file: length [8 bytes], its checksum [4], record, its checksum [4].

    A file that is being written may end within a record.
    """
    place = 0
    while place + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        end = place + 12 + length + 4
        if end <= len(content):
            yield content[place + 12 : end - 4]
        place = end
