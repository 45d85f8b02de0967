"""What an app developer needs beside the .tflite files: a sheet, labels, rows to test with, code to begin from."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from components._tflite_convert import RAW, TRANSFORMED
from serving.predictor import Predictor
from serving.rows import MISSING, from_json, kind
from serving.signature import Signature, TensorInfo

TEMPLATES = Path(__file__).parent / "mobile_templates"
# By language and kind of dtype, its type; Kotlin's `runSignature` takes arrays.
TYPES = {
    "kt": {"float": "Float", "int": "Long", "string": "String"},
    "swift": {"float": "Float32", "int": "Int64", "string": "String"},
}
KOTLIN_ARRAYS = {"float": "floatArrayOf", "int": "longArrayOf", "string": "arrayOf"}
KOTLIN_ZEROS = {"float": "FloatArray({})", "int": "LongArray({})", "string": 'Array({}) {{ "" }}'}
# What holds a picture: its pixels in a row, and no array of arrays.
BYTES = {"kt": "java.nio.ByteBuffer", "swift": "Data"}
CHANNELS = {1: "1 channel, grey", 3: "3 channels, red, green, blue"}


def write(folder: Path, model: Path, predictor: Predictor, report: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Write `model.json`, `labels.txt`, `examples.json`, `preprocessing.json` and the snippets into a folder.

    Args:
        folder: with the .tflite files.
        model: the SavedModel they were made of.
        predictor: the same, loaded.
        report: of `_tflite_report.judge`.
        facts: `name`, `task`, the `run` that made it, and the `ranges` of the numbers on the eval split.
    """
    signature = predictor.signature("serving_default")
    rows = [json.loads(line) for line in (model / "assets.extra" / "sample_rows.jsonl").read_text().splitlines()]
    recipe = model / "assets.extra" / "preprocessing.json"
    shutil.copyfile(recipe, folder / recipe.name)
    content = json.loads(recipe.read_text(encoding="utf-8"))
    labels = content["classes"]
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")
    write_json(folder / "examples.json", _examples(predictor, signature, rows, report))
    pictures = {name: content["features"][tensor["feature"]] for name, tensor in content.get("tensors", {}).items()}
    if pictures:
        signature = predictor.signature(RAW)
    write_json(folder / "model.json", _sheet(folder, signature, report, facts, labels, pictures))
    for language in TYPES:
        name = "".join(part.capitalize() for part in facts["name"].replace("-", "_").split("_"))
        text = _snippet((TEMPLATES / f"Model.{language}.in").read_text(encoding="utf-8"), name, signature, language)
        (folder / f"{name}Model.{language}").write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write a file for people and programs."""
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _examples(
    predictor: Predictor, signature: Signature, rows: list[dict[str, Any]], report: Mapping[str, Any]
) -> dict[str, Any]:
    """Return rows with the SavedModel's answers, and how far each variant may be from them."""
    columns = {
        name: [from_json(row.get(name, MISSING[kind(info.dtype_name)])) for row in rows]
        for name, info in signature.inputs.items()
    }
    answers = predictor.predict(columns)
    expected = [
        {
            name: _plain(values[row].tolist() if values.dtype != object else values[row])
            for name, values in answers.items()
        }
        for row in range(len(rows))
    ]
    tolerance = {
        name: variant["max_difference"] for name, variant in report["variants"].items() if "max_difference" in variant
    }
    return {
        "about": "a feature that a row leaves out is missing; b64 is the file of a picture, to be decoded and resized; "
        "tolerance is the largest difference on the eval split",
        "tolerance": tolerance,
        "rows": [{"inputs": row, "expected": answer} for row, answer in zip(rows, expected, strict=True)],
    }


def _sheet(
    folder: Path,
    signature: Signature,
    report: Mapping[str, Any],
    facts: Mapping[str, Any],
    labels: list[str],
    pictures: Mapping[str, Any],
) -> dict[str, Any]:
    inputs = []
    for name, info in signature.inputs.items():
        sheet = {"name": name, "dtype": info.dtype_name, "shape": info.shape}
        sheet |= {"holds": _in_words(pictures[name])} if name in pictures else {"missing": _marker(info.dtype_name)}
        inputs.append(sheet | ({"range": facts["ranges"][name]} if name in facts["ranges"] else {}))
    outputs = [
        {"name": name, "dtype": info.dtype_name, "shape": info.shape} for name, info in signature.outputs.items()
    ]
    files, raw = [], "pixels" if pictures else "raw features"
    for name, variant in report["variants"].items():
        if "bytes" in variant:
            takes = "features of preprocessing.json" if variant["signature"] == TRANSFORMED else raw
            digest = hashlib.sha256((folder / f"{name}.tflite").read_bytes()).hexdigest()
            files.append({
                "file": f"{name}.tflite", "signature": variant["signature"], "takes": takes,
                "bytes": variant["bytes"], "sha256": digest,
            })  # fmt: skip
    return {
        "name": facts["name"],
        "task": facts["task"],
        "run": facts["run"],
        "inputs": inputs,
        "outputs": outputs,
        "labels": labels,
        "files": files,
        "obstacles": report["obstacles"],
    }


def _in_words(picture: Mapping[str, Any]) -> str:
    """Return what the tensor of a picture holds."""
    return (
        f"pixels from 0 to 255 of the decoded picture, resized to {picture['height']} rows (from the top) of "
        f"{picture['width']} pixels (bilinear, antialiased), {CHANNELS[picture['channels']]}"
    )


def _marker(dtype: str) -> Any:
    """Return the marker of a missing value as JSON can hold it."""
    marker = MISSING[kind(dtype)]
    return "NaN" if marker != marker else marker


def _plain(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _snippet(template: str, name: str, signature: Signature, language: str) -> str:
    types = {key: _type(info, language) for key, info in signature.inputs.items()}
    parts = {"name": name, "parameters": ",\n".join(f"        {key}: {type_}" for key, type_ in types.items())}
    handed = {key: _handed(key, info, language) for key, info in signature.inputs.items()}
    if language == "kt":
        parts["inputs"] = "\n".join(f'            "{key}" to {value},' for key, value in handed.items())
        zeros = {key: _zeros(info) for key, info in signature.outputs.items()}
        parts["outputs"] = "\n".join(f'            "{key}" to {value},' for key, value in zeros.items())
    else:
        parts["inputs"] = "\n".join(
            f'        try runner.copy({value}, toInputNamed: "{key}")' for key, value in handed.items()
        )
        parts["outputs"] = "\n".join(
            f'            "{key}": try runner.output(named: "{key}").data,' for key in signature.outputs
        )
    return Template(template).substitute(parts)


def _is_picture(info: TensorInfo) -> bool:
    return info.dtype_name == "uint8"


def _type(info: TensorInfo, language: str) -> str:
    return BYTES[language] if _is_picture(info) else TYPES[language][kind(info.dtype_name)]


def _handed(name: str, info: TensorInfo, language: str) -> str:
    """Return the expression that hands one row of an input to the interpreter."""
    if _is_picture(info):
        return name
    return f"{KOTLIN_ARRAYS[kind(info.dtype_name)]}({name})" if language == "kt" else f"bytes({name})"


def _zeros(info: TensorInfo) -> str:
    """Return the Kotlin array that takes one row of an output, [1] or [1, k]."""
    *outer, last = (1, *(info.shape or (1,))[1:])
    return "Array(1) { " * len(outer) + KOTLIN_ZEROS[kind(info.dtype_name)].format(last) + " }" * len(outer)
