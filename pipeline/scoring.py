"""`slipway predict NAME ROWS -o FILE`: a model's answers to all rows of a file, batch by batch, in columns."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from data.loaders import _kinds
from pipeline import asking, prediction, scoring_input, scoring_output, stops
from pipeline.errors import DataError, SetupError
from pipeline.home import Home
from pipeline.screen import PROGRESS_LOGGER, logged_to
from serving.errors import ServingError

# Rows a call: more are hardly faster, and pictures of so many fit into memory.
CALL_ROWS = 1024
VERSION = "model_version"


def run(home: Home, wish: scoring_input.Wish, output: Path, whom: prediction.Whom) -> list[str]:
    """Write the rows of a file with the answers of a pushed version, and return what to print.

    Args:
        home: of the model.
        wish: the rows.
        output: the file to write, by its suffix; one that is there is replaced when all is written.
        whom: the version to ask, in this process.

    Raises:
        SetupError: no such model, version or file, or what a file cannot hold.
        DataError: the rows do not fit the model.
    """
    if whom.elsewhere:
        raise SetupError(f"-o: the model is asked in this process, got {whom.elsewhere[0]}; drop one of both")
    scoring_output.require_writable(output)
    version = prediction.folder(home, whom)
    with stops.as_interrupts(), logged_to(home.root / "predict.log") as screen, screen.working_on("scoring"):
        predictor = asking.loaded(version)
        signature = predictor.signature("")
        rows = scoring_input.opened(wish, signature.inputs)
        if output.exists() and any(map(output.samefile, rows.raw.paths)):
            raise SetupError(f"-o: is the file of the rows, got {str(output)!r}; name another")
        begun = time.monotonic()
        count = _score(predictor, rows, output, int(version.name))
    seconds = time.monotonic() - begun
    rate = f"{count / seconds:,.0f} rows/s"
    return [f"{home.name} version {version.name}: {count:,} rows to {output} in {seconds:.1f} s, {rate}"]


def _score(predictor: Any, rows: scoring_input.Rows, output: Path, version: int) -> int:
    """Write all rows, and return how many they are."""
    progress, count, begun = logging.getLogger(PROGRESS_LOGGER), 0, time.monotonic()
    with scoring_output.replacing(output) as file:
        columns = _Columns(rows.kept, flat=output.suffix == ".csv", decimal=output.suffix == ".jsonl")
        for inputs, kept in rows.batches():
            length = len(next(iter(inputs.values())))
            answers = _answers(predictor, inputs, count, length)
            file.write(columns.of(kept, answers, pa.repeat(pa.scalar(version, pa.int64()), length)))
            count += length
            rate = count / (time.monotonic() - begun)
            progress.info("%s rows, %s rows/s", f"{count:,}", f"{rate:,.0f}", extra={"done": None, "total": None})
        if not count:
            raise DataError(f"{rows.raw.paths[0]}: no rows, got empty files; give at least one row")
    return count


def _answers(predictor: Any, inputs: Mapping[str, Any], before: int, length: int) -> dict[str, np.ndarray]:
    """Return the model's answers to one batch, by output; each [n] or [n, k]."""
    parts = []
    for start in range(0, length, CALL_ROWS):
        try:
            parts.append(
                predictor.predict({name: values[start : start + CALL_ROWS] for name, values in inputs.items()})
            )
        except ServingError as error:
            place = f"rows {before + start + 1:,} to {before + min(start + CALL_ROWS, length):,}"
            raise DataError(f"{place}: the model refuses, got {asking.in_short(error)}") from error
    answers = {name: np.concatenate([np.atleast_1d(part[name]) for part in parts]) for name in parts[0]}
    for name, values in answers.items():
        if len(values) != length or values.ndim > 2:
            text = f"is no answer a row, got shape {list(values.shape)} for {length} rows"
            raise SetupError(f"slipway predict: output {name} {text}; ask the model without -o")
    return answers


class _Columns:
    """Puts batches together, all of the schema that the first one shows.

    Args:
        kept: columns of the rows.
        flat: several values a row become columns of their own, since the format has no lists.
        decimal: float32 gets the digits that it has, since the format writes all of a float64.
    """

    def __init__(self, kept: Any, *, flat: bool, decimal: bool) -> None:
        self._kept, self._flat, self._decimal = kept, flat, decimal
        self._schema: Any = None

    def of(self, kept: Mapping[str, Any], answers: Mapping[str, np.ndarray], version: Any) -> Any:
        """Return one batch of the file.

        Raises:
            SetupError: a column has the name of an answer, or is of bytes or lists, and the format has none.
            DataError: a column of text has bytes that are none, after a batch that was all text.
        """
        answered: dict[str, Any] = {}
        for name, values in answers.items():
            answered |= self._answer(name, values)
        answered[VERSION] = version
        if taken := sorted(answered.keys() & set(self._kept)):
            text = f"the rows have columns of the answer's names, got {', '.join(taken)}"
            raise SetupError(f"slipway predict: {text}; name the columns to write with --keep")
        columns = {name: scoring_input.texts(kept[name]) for name in self._kept} | answered
        if self._schema is None:
            self._schema = pa.schema([(name, column.type) for name, column in columns.items()])
            self._require_writable()
        try:
            arrays = [column.cast(self._schema.field(name).type) for name, column in columns.items()]
        except pa.ArrowInvalid as error:
            raise DataError(f"the rows are refused: a column is text and then it is not, got {error}") from error
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _answer(self, name: str, values: np.ndarray) -> dict[str, Any]:
        """Return the columns of one output of the model."""
        if values.ndim == 2 and self._flat:
            return {f"{name}_{i}": self._numbers(values[:, i]) for i in range(values.shape[1])}
        if values.ndim == 2:
            return {name: pa.FixedSizeListArray.from_arrays(self._numbers(values.ravel()), values.shape[1])}
        return {name: self._numbers(values)}

    def _numbers(self, values: np.ndarray) -> Any:
        if values.dtype == object:
            return scoring_input.texts(pa.array(values.tolist(), pa.binary()))
        column = pa.array(values)
        return scoring_input.shortest(column) if self._decimal and values.dtype == np.float32 else column

    def _require_writable(self) -> None:
        """Raise SetupError where a format of text would have to hold what is none."""
        if not (self._flat or self._decimal):
            return
        for field in self._schema:
            item = scoring_input.item_type(field.type)
            if pa.types.is_binary(item) or (self._flat and _kinds.is_list(field.type)):
                what = "bytes" if pa.types.is_binary(item) else "lists"
                text = f"this format holds no {what}, got column {field.name!r}"
                raise SetupError(f"-o: {text}; write .parquet, or name the columns to write with --keep")
