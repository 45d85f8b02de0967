"""`slipway predict`: a pushed model's answers to raw rows, in this process or from a running server."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import asking, names, pushed
from pipeline.errors import SetupError
from pipeline.home import Home
from pipeline.screen import logged_to
from serving.rows import MISSING, from_json

# By the number of their line.
Rows = dict[int, dict[str, Any]]
TYPES: dict[str, tuple[type, ...]] = {"string": (str, bytes), "float": (int, float), "int": (int,), "bool": (bool,)}
# Of a value in base64, so many characters.
SHOWN = 24


@dataclass(frozen=True)
class Whom:
    """Whom to ask.

    Attributes:
        version: a pushed version; None the one that serves.
        label: 'stable' or 'canary'.
        url: of a running server, for REST.
        grpc: host:port of a running server.
        engine: "tflite" or "tflite:<variant>", a file for phones in this process.

    Raises:
        SetupError: both a version and a label.
    """

    version: int | None = None
    label: str | None = None
    url: str | None = None
    grpc: str | None = None
    engine: str | None = None

    def __post_init__(self) -> None:
        if self.version is not None and self.label is not None:
            raise SetupError(f"slipway predict: a version or a label, got {self.version} and {self.label!r}; drop one")

    @property
    def elsewhere(self) -> list[str]:
        """The options that name another way than the SavedModel in this process."""
        return [f"--{key} {value}" for key in ("url", "grpc", "engine") if (value := getattr(self, key))]


def lines(home: Home, rows_path: Path | None, whom: Whom) -> Iterator[str]:
    """Yield who was asked, then one line per row: the answer, then the row.

    Raises:
        SetupError: there is no such model, version, server or file, or a row does not fit the model.
    """
    if len(whom.elsewhere) > 1:
        raise SetupError(f"slipway predict: one at a time, got {' and '.join(whom.elsewhere)}; keep one")
    path = rows_path or folder(home, whom) / pushed.SAMPLE_ROWS
    rows = _rows(path)
    with logged_to(home.root / "predict.log"):
        model = _model(home, whom)
        answers = model.predict(columns(model, rows, str(path)))
    yield model.title
    for number, row in enumerate(rows.values()):
        answer = {name: _plain(values[number]) for name, values in answers.items()}
        yield f"  {json.dumps(answer, ensure_ascii=False)}  for {json.dumps(_shown(row), ensure_ascii=False)}"


def _model(home: Home, whom: Whom) -> asking.Model:
    if whom.url:
        return asking.over_rest(whom.url, home.name, whom.version, whom.label)
    if whom.grpc:
        return asking.over_grpc(whom.grpc, home.name, whom.version, whom.label)
    version = folder(home, whom)
    return asking.in_tflite(home.mobile / version.name, whom.engine) if whom.engine else asking.in_process(version)


def folder(home: Home, whom: Whom) -> Path:
    """Return the folder of the version to ask.

    Raises:
        SetupError: no such version or label.
    """
    version = whom.version if whom.label is None else _labelled(home, whom.label)
    return pushed.folder(home, "predict", version)


def _labelled(home: Home, label: str) -> int:
    labels = pushed.release(home).labels
    try:
        names.require(label, labels, what="label")
    except ValueError as error:
        raise SetupError(f"slipway predict: {error}; `slipway promote` gives one") from error
    return labels[label]


def columns(model: asking.Model, rows: Rows, place: str) -> asking.Columns:
    """Return rows as columns for all inputs of a model, with what stands for a missing value where one is left out.

    Raises:
        SetupError: an unknown feature, or a value of another type than the feature's; with the number of the line.
    """
    filled: asking.Columns = {name: [] for name in model.kinds}
    for number, row in rows.items():
        for name in row:
            try:
                names.require(name, filled, what="feature of the model")
            except ValueError as error:
                raise SetupError(f"{place}:{number}: {error}") from error
        for name, kind in model.kinds.items():
            value = MISSING.get(kind) if row.get(name) is None else _value(row[name], f"{place}:{number}: {name}")
            if not isinstance(value, TYPES.get(kind, ())) or (isinstance(value, bool) and kind != "bool"):
                raise SetupError(f"{place}:{number}: {name} is of another type, got {value!r}; the model takes {kind}")
            filled[name].append(value)
    return filled


def _value(value: Any, place: str) -> Any:
    try:
        return from_json(value)
    except ValueError as error:
        raise SetupError(f"{place} is no base64, got {str(value['b64'])[:40]!r}: {error}") from error


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without the bulk of its pictures."""
    return {
        name: {"b64": f"{value['b64'][:SHOWN]}…"} if isinstance(value, dict) and len(str(value.get("b64"))) > SHOWN
        else value
        for name, value in row.items()
    }  # fmt: skip


def _rows(path: Path) -> Rows:
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: cannot be read, got {error}; give a file of JSON lines") from error
    rows: Rows = {}
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except json.JSONDecodeError as error:
            raise SetupError(f"{path}:{number}: not JSON, got {text[:60]!r}; write one object per line") from error
        if not isinstance(row, dict):
            raise SetupError(f"{path}:{number}: no object, got {text[:60]!r}; write one object per line")
        rows[number] = row
    if not rows:
        raise SetupError(f"{path}: no rows, got an empty file; write one JSON object per line")
    return rows


def _plain(value: Any) -> Any:
    """Return a JSON value; floats with the digits of a float32."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return float(f"{value:.7g}") if isinstance(value, float) else value
