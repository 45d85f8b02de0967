"""`slipway predict`: the pushed model's answers to raw rows, in this process."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline import names
from pipeline.errors import SetupError
from pipeline.home import Home
from pipeline.screen import logged_to

# What models/_raw.py puts for a missing value.
MISSING = {"string": "", "float": math.nan, "int": -(2**63)}


def lines(home: Home, rows_path: Path | None, version: int | None) -> Iterator[str]:
    """Yield one line per row: the answer, then the row.

    Raises:
        SetupError: there is no such model, version or file, or a row does not fit the model.
    """
    folder = _folder(home, version)
    path = rows_path or folder / "assets.extra" / "sample_rows.jsonl"
    rows = _rows(path)
    with logged_to(home.root / "predict.log"):
        answers = _answers(folder, rows, path)
    yield f"{home.name} version {folder.name}"
    for number, row in enumerate(rows):
        answer = {name: _plain(values[number]) for name, values in answers.items()}
        yield f"  {json.dumps(answer)}  for {json.dumps(row)}"


def _answers(folder: Path, rows: list[dict[str, Any]], path: Path) -> dict[str, Any]:
    """Return the outputs by name for rows of features by name.

    Raises:
        SetupError: a row does not fit the model; with its line.
    """
    from serving.errors import ServingError
    from serving.predictor import Predictor

    predictor = Predictor(folder)
    inputs = predictor.signature("").inputs
    kinds = {name: _kind(info.dtype_name) for name, info in inputs.items()}
    columns: dict[str, list[Any]] = {name: [] for name in inputs}
    for number, row in enumerate(rows, start=1):
        _append(columns, kinds, row, f"{path}:{number}")
    try:
        return predictor.predict(columns)
    except ServingError as error:
        raise SetupError(
            f"{path}: the model refuses the rows, got {error}; compare with {folder}/assets.extra"
        ) from error


def _folder(home: Home, version: int | None) -> Path:
    versions = home.versions()
    if not versions:
        pushed = sorted(path.name for path in (home.root / "serving").glob("*"))
        raise SetupError(f"slipway predict: no pushed model, got {home.name!r}; {names.suggestion(home.name, pushed)}")
    if version is not None and version not in versions:
        raise SetupError(f"slipway predict: no such version, got {version}; there are {', '.join(map(str, versions))}")
    return home.serving / str(version or versions[-1])


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: cannot be read, got {error}; give a file of JSON lines") from error
    rows = []
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except json.JSONDecodeError as error:
            raise SetupError(f"{path}:{number}: not JSON, got {text[:60]!r}; write one object per line") from error
        if not isinstance(row, dict):
            raise SetupError(f"{path}:{number}: no object, got {text[:60]!r}; write one object per line")
        rows.append(row)
    if not rows:
        raise SetupError(f"{path}: no rows, got an empty file; write one JSON object per line")
    return rows


def _append(columns: dict[str, list[Any]], kinds: dict[str, str], row: dict[str, Any], place: str) -> None:
    """Add one row to the columns.

    Raises:
        SetupError: an unknown feature, or a value of another type than the feature's.
    """
    for name in row:
        try:
            names.require(name, columns, what="feature of the model")
        except ValueError as error:
            raise SetupError(f"{place}: {error}") from error
    allowed: dict[str, type | tuple[type, ...]] = {"string": str, "float": (int, float), "int": int}
    for name, kind in kinds.items():
        value = MISSING[kind] if row.get(name) is None else row[name]
        if not isinstance(value, allowed[kind]) or isinstance(value, bool):
            raise SetupError(f"{place}: {name} is of another type, got {value!r}; the model takes {kind}")
        columns[name].append(value)


def _kind(dtype: str) -> str:
    return dtype if dtype == "string" else dtype.rstrip("0123456789")


def _plain(value: Any) -> Any:
    """Return a JSON value; floats with the digits of a float32."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return float(f"{value:.7g}") if isinstance(value, float) else value
