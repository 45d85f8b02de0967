"""Convert signatures of a SavedModel to .tflite files, one after the other, in a process that may die of it.

TensorFlow's converter aborts the whole process for some graphs. `python -m components._tflite_convert JOB.json` writes
each file under another name and renames it when it is complete; the caller sees which one killed the process.
"""

import functools
import json
import logging
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

LOGGER = logging.getLogger(__name__)
RAW, TRANSFORMED = "serving_mobile", "serving_transformed"
# By variant: the signature that is converted. Integers cannot hold raw features: a timestamp does not fit into 8 bits.
SIGNATURES = {"float32": RAW, "float16": RAW, "dynamic": RAW, "int8": TRANSFORMED, "int8_fallback": TRANSFORMED}


def convert(model: str, variant: str, signature: str, calibration: dict[str, np.ndarray]) -> bytes:
    """Return the flat buffer of one variant.

    Args:
        model: folder of the SavedModel.
        variant: a key of SIGNATURES.
        signature: which signature becomes the only one of the file.
        calibration: inputs of the signature [n, ...] by name, whose ranges the integers of int8 cover.
    """
    if variant == "float32":
        return _float32(model, signature)
    if variant in ("float16", "dynamic"):
        return _with_small_weights(_float32(model, signature), variant)
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(model, signature_keys=[signature])
    kinds = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = kinds + [tf.lite.OpsSet.TFLITE_BUILTINS] * (variant != "int8")
    converter.representative_dataset = _one_by_one(signature, calibration)
    return converter.convert()


@functools.cache
def _float32(model: str, signature: str) -> bytes:
    import tensorflow as tf

    return tf.lite.TFLiteConverter.from_saved_model(model, signature_keys=[signature]).convert()


def _with_small_weights(flat_buffer: bytes, variant: str) -> bytes:
    """Return the file with float16 or int8 weights in its layers and nothing else changed.

    TensorFlow's converter would also round the means and boundaries of the transforms, and 41.9 degrees of latitude
    plus or minus 0.03 is another quarter of the town.
    """
    import numpy.typing  # noqa: F401, ai_edge_quantizer uses it and relies on a numpy that imports it by itself
    from ai_edge_quantizer import qtyping, quantizer
    from ai_edge_quantizer.algorithm_manager import AlgorithmName

    half = qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    work = quantizer.Quantizer(bytearray(flat_buffer))
    for layer in ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "EMBEDDING_LOOKUP"):
        name = qtyping.TFLOperationName(layer)
        if variant == "float16":
            work.update_quantization_recipe(".*", name, half, AlgorithmName.FLOAT_CASTING)
        else:
            work.add_dynamic_config(".*", name, num_bits=8)
    return bytes(work.quantize().quantized_model)


def _one_by_one(signature: str, calibration: dict[str, np.ndarray]) -> Callable[[], Iterator[Any]]:
    rows = len(next(iter(calibration.values())))

    def examples() -> Iterator[Any]:
        for row in range(rows):
            yield signature, {name: column[row : row + 1] for name, column in calibration.items()}

    return examples


def convert_apart(model: Path, signatures: dict[str, str], calibration: dict[str, Any], output: Path) -> dict[str, str]:
    """Convert variants into a folder in child processes, as few as their deaths allow.

    Args:
        model: folder of the SavedModel.
        signatures: by variant, what to convert.
        calibration: inputs of the signatures that need one, [n, ...] by name.
        output: gets `<variant>.tflite` for every one that could be converted.

    Returns:
        by variant that could not, why, in one line.
    """
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        numbers = Path(scratch, "calibration.npz")
        np.savez(numbers, **calibration)
        left = dict(signatures)
        while left:
            job = {"model": str(model), "variants": left, "calibration": str(numbers), "output": scratch}
            Path(scratch, "job.json").write_text(json.dumps(job), encoding="utf-8")
            done = subprocess.run(
                [sys.executable, "-m", __name__, str(Path(scratch, "job.json"))],
                capture_output=True, text=True, errors="replace", check=False,
            )  # fmt: skip
            LOGGER.info("the converter ended with %d:\n%s", done.returncode, done.stderr)
            ended = [name for name in left if _ended(Path(scratch, name), done, failures)]
            if not ended:
                raise RuntimeError(f"the converter could not begin, got {_last_line(done.stderr)}; see the log")
            for name in ended:
                del left[name]
        for path in Path(scratch).glob("*.tflite"):
            shutil.move(path, output / path.name)
    return failures


def _ended(stem: Path, done: subprocess.CompletedProcess[str], failures: dict[str, str]) -> bool:
    """Return whether a variant needs no other try; why it failed goes into `failures`."""
    if stem.with_suffix(".begun").exists():
        stem.with_suffix(".begun").unlink()
        how = signal.Signals(-done.returncode).name if done.returncode < 0 else f"exit code {done.returncode}"
        failures[stem.name] = f"the converter died of {how}: {_last_line(done.stderr)}"
        return True
    if stem.with_suffix(".error").exists():
        failures[stem.name] = stem.with_suffix(".error").read_text(encoding="utf-8").splitlines()[0]
        return True
    return stem.with_suffix(".tflite").exists()


def _last_line(text: str) -> str:
    """Return the last line that says something: an abort prints its reason and then a stack trace."""
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if "error" in line.lower() or "check failed" in line.lower()] or lines
    return next((line for line in reversed(telling) if line), "no message")


def main(job_path: str) -> None:
    """Convert the variants of a job: {"model", "variants": {variant: signature}, "calibration", "output"}."""
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    with np.load(job["calibration"]) as file:
        calibration = dict(file)
    for variant, signature in job["variants"].items():
        path = Path(job["output"], f"{variant}.tflite")
        begun, unfinished = path.with_suffix(".begun"), path.with_suffix(".unfinished")
        begun.touch()
        try:
            unfinished.write_bytes(convert(job["model"], variant, signature, calibration))
        except Exception as error:  # noqa: BLE001, whatever the converter raises is the finding, and the next may do
            path.with_suffix(".error").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        else:
            unfinished.rename(path)
        begun.unlink()


if __name__ == "__main__":
    main(sys.argv[1])
