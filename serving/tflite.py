"""The one place that runs a .tflite file: LiteRT's interpreter, or TensorFlow's own.

LiteRT needs no TensorFlow: a file answers a quarter of a second after the process began.
"""

import functools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ENGINES = ("litert", "tf.lite")


@dataclass(frozen=True)
class Latency:
    """How long one answer takes, in microseconds."""

    median_us: float
    p99_us: float


class TfliteModel:
    """One .tflite file with one signature.

    Attributes:
        signature: its name.
        inputs: the dtype of each input, by name.
        outputs: the dtype of each output, by name.

    Args:
        path: the file.
        engine: one of ENGINES.
        threads: for one answer.
        delegates: whether XNNPACK may take operations over, as in an app: faster, but for one row only, and
            `operations` are then not all of the file's.

    Raises:
        ValueError: no such engine, not a TFLite file, or it has no signature or several.
    """

    def __init__(self, path: str | Path, engine: str = "litert", threads: int = 1, delegates: bool = False) -> None:
        if not Path(path).is_file():
            raise ValueError(f"{path}: no such file")
        interpreter, resolvers = _engine(engine)
        resolver = resolvers.AUTO if delegates else resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self._new_interpreter = functools.partial(
            interpreter, model_path=str(path), num_threads=threads, experimental_op_resolver_type=resolver
        )
        try:
            self._interpreter = self._new_interpreter()
        except ValueError as error:
            raise ValueError(f"{path}: not a .tflite file, got {error}") from error
        signatures = self._interpreter.get_signature_list()
        if len(signatures) != 1:
            raise ValueError(f"{path}: needs one signature, got {sorted(signatures)}")
        (self.signature,) = signatures
        runner = self._interpreter.get_signature_runner(self.signature)
        self._inputs, self._outputs = runner.get_input_details(), runner.get_output_details()
        self.inputs = {name: np.dtype(details["dtype"]) for name, details in self._inputs.items()}
        self.outputs = {name: np.dtype(details["dtype"]) for name, details in self._outputs.items()}
        self._rows = 0

    def predict(self, columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Answer n rows.

        Args:
            columns: a vector [n] for each input, or [n, ...] for one whose rows have a shape; texts as bytes.

        Returns:
            by output, [n] or [n, k]; texts as bytes.
        """
        self._feed(columns)
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(details["index"]) for name, details in self._outputs.items()}

    def latency(self, columns: Mapping[str, Any], runs: int = 300) -> Latency:
        """Return how long one answer to these rows takes, after a tenth as many runs to warm up."""
        self._feed(columns)
        for _ in range(runs // 10 + 1):
            self._interpreter.invoke()
        times = np.empty(runs)
        for run in range(runs):
            began = time.perf_counter()
            self._feed(columns)
            self._interpreter.invoke()
            times[run] = time.perf_counter() - began
        return Latency(float(np.median(times) * 1e6), float(np.quantile(times, 0.99) * 1e6))

    def operations(self) -> list[str]:
        """Return the operations of the graph in their order."""
        return [details["op_name"] for details in self._interpreter._get_ops_details()]

    def activation_bytes(self) -> int:
        """Return the size of everything that operations write for one row, which bounds the arena from above."""
        written = {index for details in self._interpreter._get_ops_details() for index in details["outputs"]}
        sizes = 0
        for details in self._interpreter.get_tensor_details():
            if details["index"] in written and details["dtype"] not in (object, np.bytes_):
                sizes += int(np.prod(details["shape"], dtype=np.int64)) * np.dtype(details["dtype"]).itemsize
        return sizes

    def _feed(self, columns: Mapping[str, Any]) -> None:
        rows = len(next(iter(columns.values())))
        if rows != self._rows:
            if self._rows:  # tensors whose shape is found at run time keep their old one through a second resize
                self._interpreter = self._new_interpreter()
            for details in self._inputs.values():
                self._interpreter.resize_tensor_input(details["index"], [rows, *details["shape"][1:]])
            self._interpreter.allocate_tensors()
            self._rows = rows
        for name, details in self._inputs.items():
            kind = object if details["dtype"] is np.bytes_ else details["dtype"]
            self._interpreter.set_tensor(details["index"], np.asarray(columns[name], kind))


def _engine(name: str) -> tuple[Any, Any]:
    """Return the interpreter class and its enum of op resolvers."""
    if name == "litert":
        from ai_edge_litert import interpreter

        return interpreter.Interpreter, interpreter.OpResolverType
    if name == "tf.lite":
        import tensorflow as tf

        return tf.lite.Interpreter, tf.lite.experimental.OpResolverType
    raise ValueError(f"no such engine, got {name!r}; there are {', '.join(ENGINES)}")
