"""The config of the data: where the rows come from, and how they are split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from pipeline import names, spans
from pipeline.section import Section

# The format that is asked and not read.
QUERIED = "bigquery"
# Other suffixes than a format's name.
SUFFIXES = {"ndjson": "jsonl", "json": "jsonl", "pq": "parquet", "tfrecords": "tfrecord"}
NEED_COLUMN, KEYED = ("time", "group"), ("random", "group", "stratified")
RATIO = {"train": 2, "eval": 1}


def file_formats() -> list[str]:
    """Return the names of the loaders of files."""
    return [name for name in names.plug_ins("data.loaders") if name != QUERIED]


def format_by_suffix(path: str) -> str:
    """Return the name of the loader for a file.

    Raises:
        ValueError: its suffix says none.
    """
    suffix = Path(path.removesuffix(".gz")).suffix.lstrip(".").lower()
    kind = SUFFIXES.get(suffix, suffix)
    if kind not in file_formats():
        raise ValueError(
            f"no format goes by this suffix, got {suffix!r}" if suffix else f"no suffix to go by, got {path!r}"
        )
    return kind


def _require_splits(found: Mapping[Any, Any], example: str) -> None:
    """Check the names of splits, which become parts of folders' names."""
    for name in found:
        if not isinstance(name, str) or not (name.isascii() and name.isidentifier()):
            raise ValueError(f"no name for a split, got {name!r}; take letters, digits and _, no digit first")
    if not {"train", "eval"} <= set(found):
        raise ValueError(f"needs the splits train and eval, got {sorted(found)}; for instance {example}")


class Split(Section):
    """How rows go to splits. Identical rows are always in one split.

    Attributes:
        by: hash: by the content of a row, which stays in its split for ever; random: the same, drawn anew for each
            seed; time: the oldest rows train, the others follow in the order of the ratio; group: all rows with one
            value of a column together; stratified: every class of the label has its share in every split.
        ratio: shares of the rows by split.
        column: of time or group; stratified takes the label unless told otherwise.
        seed: for random, group and stratified.
    """

    by: Literal["hash", "random", "time", "group", "stratified"] = "hash"
    ratio: dict[str, Annotated[int, Field(gt=0)]] = RATIO
    column: Annotated[str | None, Field(validate_default=True)] = None
    seed: Annotated[int | None, Field(ge=0, lt=2**53)] = None

    @field_validator("ratio", mode="before")
    @classmethod
    def _train_and_eval(cls, ratio: Any) -> Any:
        if isinstance(ratio, dict):
            _require_splits(ratio, "{train: 2, eval: 1}")
        return ratio

    @field_validator("column")
    @classmethod
    def _column_of_the_way(cls, column: str | None, info: ValidationInfo) -> str | None:
        by = info.data.get("by")
        if by in NEED_COLUMN and column is None:
            raise ValueError(f"by: {by} needs a column, got none; add `column:`")
        if by in ("hash", "random") and column is not None:
            raise ValueError(f"by: {by} looks at whole rows, got {column!r}; take it out, or write by: group")
        return column

    @field_validator("seed")
    @classmethod
    def _seed_of_the_way(cls, seed: int | None, info: ValidationInfo) -> int | None:
        by = info.data.get("by")
        if by not in (*KEYED, None) and seed is not None:
            raise ValueError(f"by: {by} draws nothing, got {seed}; take it out, or write by: random")
        return seed

    def arguments(self, label: str) -> dict[str, Any]:
        """Return the further arguments of `data/loaders/_splits.py:make`, the defaults filled in."""
        column = label if self.by == "stratified" and self.column is None else self.column
        seed = 1 if self.by in KEYED and self.seed is None else self.seed
        found = {"by": self.by, "column": column, "seed": seed}
        return {key: value for key, value in found.items() if value is not None}


def _long_form(split: Any) -> Any:
    """{train: 2, eval: 1} is short for {by: hash, ratio: {train: 2, eval: 1}}."""
    return {"ratio": split} if isinstance(split, dict) and not set(Split.model_fields) & set(split) else split


class Data(Section):
    """Where the rows come from and how they are split.

    Attributes:
        source: a named dataset, `data/sources/<name>.py`.
        path: instead of a source, a path, glob or folder of raw files, relative to the config file; {SPAN},
            {YYYY}{MM}{DD} and {VERSION} stand for numbers of which one run takes some. Or such paths by split.
        query: instead of both, an SQL query for BigQuery.
        format: with `path`, the loader, `data/loaders/<name>.py`.
        options: of the loader.
        rename: names for columns of the files; every other part of the config uses the new ones.
        split: a ratio, {train: 2, eval: 1}, or a way and a ratio.
    """

    source: str | None = None
    path: str | dict[str, str] | None = None
    query: str | None = None
    format: str = "csv"
    options: dict[str, Any] = {}
    rename: dict[str, Annotated[str, Field(min_length=1)]] = {}
    split: Annotated[Split, BeforeValidator(_long_form)] = Split()

    @property
    def span_signs(self) -> set[str]:
        """The names of the signs in the paths, see `spans.py`."""
        paths = self.path.values() if isinstance(self.path, dict) else [self.path or ""]
        return spans.signs("".join(paths))

    @field_validator("source")
    @classmethod
    def _known_source(cls, name: str | None) -> str | None:
        if name is not None:
            names.require(name, names.plug_ins("data.sources"), what="source")
        return name

    @field_validator("path", mode="before")
    @classmethod
    def _paths(cls, path: Any) -> Any:
        if path is None or isinstance(path, str):
            patterns = {} if path is None else {"": path}
        elif isinstance(path, dict) and all(isinstance(one, str) for one in path.values()):
            _require_splits(path, "{train: train/*.csv, eval: eval/*.csv}")
            patterns = path
        else:
            raise ValueError(f"neither a path nor paths by split, got {path!r}; see docs/data.md")
        spans.require_sound(list(patterns.values()))
        return path

    @field_validator("format")
    @classmethod
    def _known_format(cls, name: str) -> str:
        names.require(name, names.plug_ins("data.loaders"), what="format")
        return name

    @model_validator(mode="after")
    def _one_origin(self) -> "Data":
        given = [key for key in ("source", "path", "query") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"needs one of source, path and query, got {given or 'none'}; give exactly one")
        if (self.format == QUERIED) != (self.query is not None):
            raise ValueError(f"a query is for the format {QUERIED}, got {given[0]} and {self.format!r}; change one")
        if self.query is not None and self.split.by != "hash":
            raise ValueError(f"the rows of a query are split by hash alone, got {self.split.by!r}; split in the query")
        if isinstance(self.path, dict) and "split" in self.model_fields_set:
            raise ValueError("paths by split and split, got both; take split out, the files are split already")
        return self
